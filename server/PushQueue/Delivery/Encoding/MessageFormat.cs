using PushQueue.Queues;

namespace PushQueue.Delivery.Encoding;

/// <summary>
/// How messages look on the wire of one kind of connection. Instances are shared by all connections of that kind, and pages are cached
/// per instance, so there is exactly one instance per form. A new transport or dialect brings its own.
/// </summary>
internal abstract class MessageFormat
{
    /// <summary>Written when a stream was idle; null for connections that beat by themselves.</summary>
    public virtual EncodedPage? Heartbeat => null;

    public EncodedPage Encode(ReadOnlySpan<PushedMessage> messages)
    {
        var writer = PageWriter.Rent();
        foreach (ref readonly var message in messages)
        {
            WriteMessage(writer, message);
        }

        var page = Finish(writer, messages[0].Message.Offset, messages[^1].Message.Offset);
        writer.Return();
        return page;
    }

    public EncodedPage EncodeGap(QueueName queue, in Gap gap)
    {
        var json = PageWriter.Rent();
        Envelope.WriteGap(json, queue, gap);
        var page = EncodeEvent("gap"u8, json.From(0), gap.From, gap.To);
        json.Return();
        return page;
    }

    /// <summary>The last words of a subscription, or of the whole connection where <paramref name="queue"/> is null.</summary>
    public virtual EncodedPage EncodeClose(QueueName? queue, CloseReason reason)
    {
        var reconnectMs = reason.NextReconnectMs();
        var json = PageWriter.Rent();
        Envelope.WriteClose(json, queue, reason, reconnectMs);
        var writer = PageWriter.Rent();
        WriteClose(writer, json.From(0), reconnectMs);
        json.Return();
        var page = Finish(writer, 0, 0);
        writer.Return();
        return page;
    }

    /// <summary>The event of the last words, for formats that have a word of their own for when to come back.</summary>
    public virtual void WriteClose(PageWriter writer, ReadOnlySpan<byte> json, int reconnectMs) => WriteEvent(writer, "close"u8, json);

    /// <summary>One event that is not a message: a JSON object on one line.</summary>
    public EncodedPage EncodeEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, long firstOffset = 0, long lastOffset = 0)
    {
        var writer = PageWriter.Rent();
        WriteEvent(writer, name, json);
        var page = Finish(writer, firstOffset, lastOffset);
        writer.Return();
        return page;
    }

    public abstract void WriteMessage(PageWriter writer, in PushedMessage pushed);

    public abstract void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json);

    /// <summary>Makes the page of what was written; a format that wraps pages or shares more than bytes overrides it.</summary>
    public virtual EncodedPage Finish(PageWriter writer, long firstOffset, long lastOffset) =>
        new(writer.ToArray(), firstOffset, lastOffset);
}
