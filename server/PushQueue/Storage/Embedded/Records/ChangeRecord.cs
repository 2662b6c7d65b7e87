using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>Payload of <see cref="RecordType.Changed"/>: all that can change of a live message after its put, as it is now.</summary>
internal static class ChangeRecord
{
    private const byte Ready = 0;
    private const byte Delayed = 1;
    private const byte Leased = 2;
    private const byte Kept = 3;

    public static int BytesMax(StoredMessage message) =>
        (10 * SpanWriter.NumberBytesMax)
        + SpanWriter.StringBytesMax(message.Lease?.Worker ?? "")
        + SpanWriter.StringBytesMax(message.Details?.LastError ?? "")
        + SpanWriter.StringBytesMax(message.Details?.LastWorker ?? "");

    public static void Write(ref SpanWriter writer, long queue, StoredMessage message)
    {
        writer.Number(queue);
        writer.Number(message.Sequence);
        writer.Number(message.AvailableAtMs);
        writer.Number(message.Attempts);
        writer.Text(message.Details?.LastError ?? "");
        writer.Text(message.Details?.LastWorker ?? "");
        switch (message.Place)
        {
            case MessagePlace.Leased:
                writer.Byte(Leased);
                writer.UInt64(message.Lease!.Receipt.Value);
                writer.Number(message.Lease.UntilMs);
                writer.Text(message.Lease.Worker ?? "");
                writer.Number(message.Lease.CallerUntilMs);
                break;
            case MessagePlace.Delayed:
                writer.Byte(Delayed);
                break;
            case MessagePlace.Kept:
                writer.Byte(Kept);
                break;
            default:
                writer.Byte(Ready);
                break;
        }

        if (message.Details is { PlaceMs: > 0 } details)
        {
            writer.Number(details.PlaceMs);
        }
    }

    public static void ReadKey(ref SpanReader reader, out long queue, out long sequence)
    {
        queue = reader.Number();
        sequence = reader.Number();
    }

    /// <summary>Applies the rest of the payload to the message that the key named.</summary>
    public static void Apply(ref SpanReader reader, StoredMessage message)
    {
        message.MoveTo(reader.Number());
        message.Attempts = (int)reader.Number();
        var error = reader.Text();
        var worker = reader.Text();
        if (error.Length > 0 || message.Details is not null)
        {
            message.EnsureDetails().LastError = error.Length == 0 ? null : error;
        }

        if (worker.Length > 0 || message.Details is not null)
        {
            message.EnsureDetails().LastWorker = worker.Length == 0 ? null : worker;
        }

        var place = reader.Byte();
        message.Lease = null;
        message.Place = place switch
        {
            Delayed => MessagePlace.Delayed,
            Kept => MessagePlace.Kept,
            _ => MessagePlace.Ready,
        };
        if (place == Leased)
        {
            var receipt = new Receipt(reader.UInt64());
            var until = reader.Number();
            var holder = reader.Text();
            var callerUntil = reader.Remaining > 0 ? reader.Number() : 0;
            message.Lease = new LeaseDetails(receipt, until, holder.Length == 0 ? null : holder, Delivery: false, callerUntil);
            message.Place = MessagePlace.Leased;
        }

        var kept = reader.Remaining > 0 ? reader.Number() : 0;
        if (kept > 0 || message.Details is not null)
        {
            message.EnsureDetails().PlaceMs = kept;
        }
    }
}
