using System.Text.Json;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Remembers what one watcher of the overview has been sent, and so what has changed since: the rows of its page that changed, the order of
/// the page where that changed, and the sums.
/// </summary>
internal sealed class OverviewChanges(BoardView view, QueueRates rates)
{
    /// <summary>Points of a row's two small charts: one minute.</summary>
    private const int PointsMax = 60;

    private Dictionary<QueueName, BoardRow> _sent = [];
    private QueueName[] _order = [];
    private readonly Section _access = new();
    private long _tick = -1;

    public byte[] Next(QueueBoard all, Caller caller)
    {
        var board = caller.MayEverywhere(Permissions.Any) ? all : all.Only(queue => caller.May(Permissions.Any, queue));
        var page = view.Select(board.Rows, out var matching);
        var order = Array.ConvertAll(page, static row => row.Info.Name);
        var points = _tick < 0 ? PointsMax : (int)Math.Min(PointsMax, board.Tick - _tick);
        var json = JsonBuffer.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        MessageJson.WriteTime(writer, "now"u8, board.At);
        writer.WriteNumber("points"u8, points);
        writer.WriteNumber("matching"u8, matching);
        _access.WriteIfNew(writer, "access"u8, AccessJson.OfCaller(caller));
        WriteSums(writer, board.Sums);
        if (_tick < 0 || !order.AsSpan().SequenceEqual(_order))
        {
            WriteOrder(writer, order);
        }

        var sent = new Dictionary<QueueName, BoardRow>(page.Length);
        writer.WriteStartArray("rows"u8);
        foreach (var row in page)
        {
            sent[row.Info.Name] = row;
            if (!_sent.TryGetValue(row.Info.Name, out var before))
            {
                WriteRow(writer, row, PointsMax);
            }
            else if (before != row)
            {
                WriteRow(writer, row, points);
            }
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        (_sent, _order, _tick) = (sent, order, board.Tick);
        return json.Finish();
    }

    private void WriteRow(Utf8JsonWriter writer, in BoardRow row, int points)
    {
        var info = row.Info;
        writer.WriteStartObject();
        writer.WriteString("queue"u8, info.Name.Value);
        writer.WriteString("policy"u8, QueueJson.PolicyName(info.Settings.EffectivePolicy));
        writer.WriteString("status"u8, QueueJson.StatusName(info.Settings));
        writer.WriteNumber("ready"u8, info.Ready);
        writer.WriteNumber("delayed"u8, info.Delayed);
        writer.WriteNumber("leased"u8, info.Leased);
        writer.WriteNumber("dead"u8, row.Dead);
        writer.WriteNumber("consumers"u8, row.Consumers);
        MessageJson.WriteTime(writer, "oldestAt"u8, info.OldestReadyAt);
        writer.WriteNumber("putPerSecond"u8, Math.Round(row.Rate.Put, 1));
        writer.WriteNumber("deliveredPerSecond"u8, Math.Round(row.Rate.Delivered, 1));
        if (rates.PointsOf(info.Name, points) is { Length: > 0 } latest)
        {
            writer.WriteStartArray("in"u8);
            foreach (var point in latest)
            {
                writer.WriteNumberValue(point.Put);
            }

            writer.WriteEndArray();
            writer.WriteStartArray("out"u8);
            foreach (var point in latest)
            {
                writer.WriteNumberValue(point.Delivered);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteSums(Utf8JsonWriter writer, BoardSums sums)
    {
        writer.WriteStartObject("sums"u8);
        writer.WriteNumber("queues"u8, sums.Queues);
        writer.WriteNumber("ready"u8, sums.Ready);
        writer.WriteNumber("delayed"u8, sums.Delayed);
        writer.WriteNumber("leased"u8, sums.Leased);
        writer.WriteNumber("dead"u8, sums.Dead);
        writer.WriteNumber("consumers"u8, sums.Consumers);
        writer.WriteNumber("putPerSecond"u8, Math.Round(sums.PutPerSecond, 1));
        writer.WriteNumber("deliveredPerSecond"u8, Math.Round(sums.DeliveredPerSecond, 1));
        writer.WriteEndObject();
    }

    private static void WriteOrder(Utf8JsonWriter writer, QueueName[] order)
    {
        writer.WriteStartArray("order"u8);
        foreach (var name in order)
        {
            writer.WriteStringValue(name.Value);
        }

        writer.WriteEndArray();
    }
}
