using System.Text.Json;
using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Remembers what one watcher of one queue has been sent: counters, settings and consumers are sent again where they changed, and at the
/// beginning what the last minutes brought. The list of consumers goes to callers that may manage the queue, their number to all.
/// </summary>
internal sealed class QueueChanges(
    QueueName queue, IMessageBroker broker, QueueRates rates, Dispatcher dispatcher, ClusterAnswers cluster, TimeProvider time)
{
    /// <summary>More are counted, not listed; GET /q/{queue}/consumers has them all.</summary>
    private const int ConsumersMax = 200;

    private readonly Section _settings = new();
    private readonly Section _consumers = new();
    private readonly Section _access = new();
    private readonly Section _rights = new();
    private bool _begun;

    public async ValueTask<byte[]> NextAsync(Caller caller)
    {
        var info = await broker.GetQueueAsync(queue);
        var dead = queue.IsDeadLetter ? null : await broker.GetQueueAsync(queue.DeadLetter);
        var settings = AsJson(info?.Settings ?? QueueSettings.Default);
        var elsewhere = await cluster.ConsumersAsync(queue);
        var here = dispatcher.ListConsumers(queue);
        var total = here.Count + elsewhere.Sum(ConsumerJson.Count);
        var consumers = AsJson(here, elsewhere, total, shown: caller.May(Permissions.Manage, queue) ? ConsumersMax : 0);
        var json = JsonBuffer.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        MessageJson.WriteTime(writer, "now"u8, time.GetUtcNow());
        writer.WritePropertyName("info"u8);
        if (info is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            QueueJson.WriteInfo(writer, info, rates.Of(queue), total, time.GetUtcNow());
        }

        writer.WriteNumber("dead"u8, dead?.Waiting ?? 0);
        _access.WriteIfNew(writer, "access"u8, AccessJson.OfCaller(caller));
        _rights.WriteIfNew(writer, "rights"u8, AccessJson.OfQueue(caller, queue));
        _settings.WriteIfNew(writer, "settings"u8, settings);
        _consumers.WriteIfNew(writer, "listeners"u8, consumers);
        if (!_begun)
        {
            _begun = true;
            WritePoints(writer, rates.PointsOf(queue, RateSamples.PointsMax));
        }

        writer.WriteEndObject();
        return json.Finish();
    }

    private byte[] AsJson(QueueSettings settings)
    {
        var json = JsonBuffer.Rent();
        QueueJson.WriteSettings(json.Writer, queue, settings);
        return json.Finish();
    }

    private static byte[] AsJson(IReadOnlyList<Consumer> here, IReadOnlyList<byte[]> elsewhere, int total, int shown)
    {
        var json = JsonBuffer.Rent();
        json.Writer.WriteStartObject();
        json.Writer.WriteNumber("total"u8, total);
        ConsumerJson.WriteAll(json.Writer, [.. here.Take(shown)], elsewhere, shown);
        json.Writer.WriteEndObject();
        return json.Finish();
    }

    private static void WritePoints(Utf8JsonWriter writer, QueuePoint[] points)
    {
        writer.WriteStartArray("history"u8);
        foreach (var point in points)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(point.Put);
            writer.WriteNumberValue(point.Delivered);
            writer.WriteNumberValue(point.Acked);
            writer.WriteNumberValue(point.Waiting);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
    }
}
