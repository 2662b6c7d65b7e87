using System.Buffers.Text;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports.Framing;

/// <summary>
/// Another format's pages, each wrapped as one complete chunk of HTTP/1.1. The server would frame each write for each connection
/// again; so the same bytes serve all of them.
/// </summary>
internal sealed class ChunkedFormat : MessageFormat
{
    /// <summary>Ends a chunked body.</summary>
    public static readonly EncodedPage LastChunk = new("0\r\n\r\n"u8.ToArray());

    private readonly MessageFormat _inner;

    private ChunkedFormat(MessageFormat inner)
    {
        _inner = inner;
        if (inner.Heartbeat is { } heartbeat)
        {
            var writer = PageWriter.Rent();
            writer.Write(heartbeat.Bytes.Span);
            Heartbeat = Finish(writer, 0, 0);
            writer.Return();
        }
    }

    public static MessageFormat Lines { get; } = new ChunkedFormat(LineFormat.Envelopes);

    public static MessageFormat RawLines { get; } = new ChunkedFormat(LineFormat.Raw);

    public static MessageFormat Events { get; } = new ChunkedFormat(ServerSentEventFormat.Envelopes);

    public static MessageFormat RawEvents { get; } = new ChunkedFormat(ServerSentEventFormat.Raw);

    /// <summary>Another format's pages as chunks; made once per format, because pages are shared per format.</summary>
    public static MessageFormat Of(MessageFormat inner) => new ChunkedFormat(inner);

    public static MessageFormat ManyLines { get; } = new ChunkedFormat(ManyFormat.Lines);

    public static MessageFormat ManyRawLines { get; } = new ChunkedFormat(ManyFormat.RawLines);

    public static MessageFormat ManyEvents { get; } = new ChunkedFormat(ManyFormat.Events);

    public static MessageFormat ManyRawEvents { get; } = new ChunkedFormat(ManyFormat.RawEvents);

    public override EncodedPage? Heartbeat { get; }

    public override bool HasPositions => _inner.HasPositions;

    public override bool IsOverMany => _inner.IsOverMany;

    public override bool StampsMessages => _inner.StampsMessages;

    public override EncodedPage? EncodeOpening(QueueName queue, in Opening opening) =>
        ChunkOf(_inner.EncodeOpening(queue, opening));

    public override EncodedPage? EncodeOpening(IReadOnlyList<QueueName> queues, string cursor) =>
        ChunkOf(_inner.EncodeOpening(queues, cursor));

    public override void WriteCheckpoint(PageWriter writer, string cursor, bool ofNextMessage) =>
        _inner.WriteCheckpoint(writer, cursor, ofNextMessage);

    public override EncodedPage EncodeClose(QueueName? queue, CloseReason reason) =>
        queue is null ? base.EncodeClose(queue, reason) : ChunkOf(_inner.EncodeClose(queue, reason))!;

    private EncodedPage? ChunkOf(EncodedPage? page)
    {
        if (page is null)
        {
            return null;
        }

        var writer = PageWriter.Rent();
        writer.Write(page.Bytes.Span);
        var chunk = Finish(writer, 0, 0);
        writer.Return();
        return chunk;
    }

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed) => _inner.WriteMessage(writer, pushed);

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null) =>
        _inner.WriteEvent(writer, name, json, cursor);

    public override void WriteClose(PageWriter writer, ReadOnlySpan<byte> json, int reconnectMs) =>
        _inner.WriteClose(writer, json, reconnectMs);

    public override EncodedPage Finish(PageWriter writer, long firstOffset, long lastOffset)
    {
        if (writer.Length == 0)
        {
            // A chunk without bytes would end the body.
            return new EncodedPage(default, firstOffset, lastOffset);
        }

        Span<byte> head = stackalloc byte[PageWriter.HeadRoom];
        _ = Utf8Formatter.TryFormat(writer.Length, head, out var digits, new System.Buffers.StandardFormat('x'));
        "\r\n"u8.CopyTo(head[digits..]);
        writer.Write("\r\n"u8);
        return new EncodedPage(writer.ToArray(head[..(digits + 2)]), firstOffset, lastOffset);
    }
}
