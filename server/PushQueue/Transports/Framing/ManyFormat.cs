using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports.Framing;

/// <summary>
/// Another format for a stream over many queues. Its pages are shared by all such streams, so they hold no cursor; the cursor of each
/// stream is written in pages of its own.
/// </summary>
internal sealed class ManyFormat : MessageFormat
{
    private readonly MessageFormat _inner;

    private ManyFormat(MessageFormat inner) => _inner = inner;

    public static MessageFormat Lines { get; } = new ManyFormat(LineFormat.Envelopes);

    public static MessageFormat RawLines { get; } = new ManyFormat(LineFormat.Raw);

    public static MessageFormat Events { get; } = new ManyFormat(ServerSentEventFormat.EnvelopesWithoutIds);

    public static MessageFormat RawEvents { get; } = new ManyFormat(ServerSentEventFormat.RawWithoutIds);

    public static MessageFormat Sockets { get; } = new ManyFormat(WebSocketFormat.Envelopes);

    public static MessageFormat RawSockets { get; } = new ManyFormat(WebSocketFormat.Raw);

    /// <summary>Another format for streams over many queues; made once per format, because pages are shared per format.</summary>
    public static MessageFormat Of(MessageFormat inner) => new ManyFormat(inner);

    public override EncodedPage? Heartbeat => _inner.Heartbeat;

    public override bool HasPositions => _inner.HasPositions;

    public override bool IsOverMany => true;

    public override bool StampsMessages => _inner.StampsMessages;

    protected override EncodedPage? FirstBytes => _inner is WebSocketFormat ? null : Heartbeat;

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed) => _inner.WriteMessage(writer, pushed);

    /// <summary>Without the cursor, which is that of one queue.</summary>
    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null) =>
        _inner.WriteEvent(writer, name, json);

    public override void WriteCheckpoint(PageWriter writer, string cursor, bool ofNextMessage) =>
        _inner.WriteCheckpoint(writer, cursor, ofNextMessage);

    /// <summary>The closing notice of the stream is that of the inner format. For a queue that leaves it is an event like others.</summary>
    public override EncodedPage EncodeClose(QueueName? queue, CloseReason reason)
    {
        if (queue is null)
        {
            return _inner.EncodeClose(queue, reason);
        }

        var json = PageWriter.Rent();
        Envelope.WriteClose(json, queue, reason, reconnectMs: 0);
        var page = EncodeEvent("close"u8, json.From(0));
        json.Return();
        return page;
    }

    public override void WriteClose(PageWriter writer, ReadOnlySpan<byte> json, int reconnectMs) =>
        _inner.WriteClose(writer, json, reconnectMs);

    public override EncodedPage Finish(PageWriter writer, long firstOffset, long lastOffset) =>
        _inner.Finish(writer, firstOffset, lastOffset);
}
