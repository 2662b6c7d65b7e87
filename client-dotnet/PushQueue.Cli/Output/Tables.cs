using System.Globalization;
using PushQueue.Client;

namespace PushQueue.Cli.Output;

/// <summary>Tables for people.</summary>
internal static class Tables
{
    public static TextTable Of(IEnumerable<QueueInfo> queues)
    {
        var table = new TextTable(
            new("queue", IsText: true), new("policy", IsText: true, LeaveOutFirst: 6), new("status", IsText: true, LeaveOutFirst: 5),
            new("ready"),
            new("delayed", LeaveOutFirst: 3), new("leased", LeaveOutFirst: 2), new("consumers", LeaveOutFirst: 4),
            new("put/s", LeaveOutFirst: 1),
            new("out/s", LeaveOutFirst: 1), new("oldest", LeaveOutFirst: 7));
        foreach (var queue in queues)
        {
            table.Add(
                TerminalText.OneLine(queue.Queue), queue.Policy, queue.Status, Number(queue.Ready), Number(queue.Delayed),
                Number(queue.Leased),
                Number(queue.Consumers), Rate(queue.PutPerSecond), Rate(queue.DeliveredPerSecond),
                queue.OldestAgeSeconds is { } age ? Age(age) : "");
        }

        return table;
    }

    public static TextTable Of(IEnumerable<KeyInfo> keys)
    {
        var table = new TextTable(
            new("key", IsText: true), new("ready"), new("delayed", LeaveOutFirst: 2), new("in flight"),
            new("state", IsText: true, LeaveOutFirst: 1), new("oldest", LeaveOutFirst: 3));
        foreach (var key in keys)
        {
            table.Add(
                TerminalText.OneLine(key.Key), Number(key.Ready), Number(key.Delayed), Number(key.InFlight), key.Blocked ? "blocked" : "",
                key.OldestAgeSeconds is { } age ? Age(age) : "");
        }

        return table;
    }

    public static TextTable Of(IEnumerable<ConsumerInfo> consumers)
    {
        var table = new TextTable(
            new("id"), new("queue", IsText: true), new("transport", IsText: true, LeaveOutFirst: 3),
            new("worker", IsText: true, LeaveOutFirst: 2),
            new("from", IsText: true, LeaveOutFirst: 8), new("ack", IsText: true, LeaveOutFirst: 5), new("in flight"),
            new("delivered", LeaveOutFirst: 1),
            new("acked", LeaveOutFirst: 4), new("failed", LeaveOutFirst: 4), new("lag", LeaveOutFirst: 6),
            new("waiting bytes", LeaveOutFirst: 7));
        foreach (var consumer in consumers)
        {
            table.Add(
                consumer.Id.ToString(CultureInfo.InvariantCulture), TerminalText.OneLine(consumer.Queue), consumer.Transport,
                TerminalText.OneLine(consumer.Worker ?? ""), consumer.RemoteAddress ?? "", consumer.Ack, Number(consumer.InFlight),
                Number(consumer.Delivered), Number(consumer.Acked), Number(consumer.Failed), Number(consumer.Lag),
                Number(consumer.WaitingBytes));
        }

        return table;
    }

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Rate(double rate) => rate.ToString(rate < 100 ? "0.#" : "N0", CultureInfo.InvariantCulture);

    /// <summary>A duration in the unit in which people think of it.</summary>
    public static string Age(double seconds) => seconds switch
    {
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s"),
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0.#} min"),
        < 48 * 3600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.#} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86_400:0} d"),
    };
}
