using System.Globalization;
using PushQueue.Client;
using Spectre.Console;

namespace PushQueue.Cli.Output;

/// <summary>Tables for people.</summary>
internal static class Tables
{
    public static Table Of(IEnumerable<QueueInfo> queues)
    {
        var table = New("queue", "policy", "status", "ready", "delayed", "leased", "consumers", "put/s", "out/s", "oldest");
        foreach (var queue in queues)
        {
            table.AddRow(
                Markup.Escape(queue.Queue), queue.Policy, queue.Status == "stopped" ? "[yellow]stopped[/]" : queue.Status,
                Number(queue.Ready), Number(queue.Delayed), Number(queue.Leased), Number(queue.Consumers),
                Rate(queue.PutPerSecond), Rate(queue.DeliveredPerSecond),
                queue.OldestAgeSeconds is { } age ? $"{age.ToString("0.#", CultureInfo.InvariantCulture)} s" : "");
        }

        return table;
    }

    public static Table Of(IEnumerable<ConsumerInfo> consumers)
    {
        var table = New("id", "queue", "transport", "worker", "from", "ack", "in flight", "delivered", "acked", "failed", "lag", "waiting bytes");
        foreach (var consumer in consumers)
        {
            table.AddRow(
                Number(consumer.Id), Markup.Escape(consumer.Queue), consumer.Transport, Markup.Escape(consumer.Worker ?? ""),
                Markup.Escape(consumer.RemoteAddress ?? ""), consumer.Ack, Number(consumer.InFlight), Number(consumer.Delivered),
                Number(consumer.Acked), Number(consumer.Failed), Number(consumer.Lag), Number(consumer.WaitingBytes));
        }

        return table;
    }

    public static Table New(params string[] columns)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn($"[bold]{column}[/]") { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        }

        return table;
    }

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Rate(double rate) => rate.ToString(rate < 100 ? "0.#" : "N0", CultureInfo.InvariantCulture);
}
