using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The records of the hub's protocols, all of a page in one finished WebSocket frame: written as it is to every subscriber that came
/// through <see cref="HubSocketEndpoint"/>.
/// </summary>
internal sealed class HubFrameFormat : MessageFormat
{
    private readonly HubRecords _records;

    private HubFrameFormat(HubRecords records)
    {
        _records = records;
    }

    public static MessageFormat Envelopes { get; } = new HubFrameFormat(HubFormat.Envelopes);

    public static MessageFormat Raw { get; } = new HubFrameFormat(HubFormat.Raw);

    public static MessageFormat PackedEnvelopes { get; } = new HubFrameFormat(PackedHubFormat.Envelopes);

    public static MessageFormat PackedRaw { get; } = new HubFrameFormat(PackedHubFormat.Raw);

    /// <summary>A WebSocket ping; SignalR's own pings come from SignalR.</summary>
    public override EncodedPage? Heartbeat => WebSocketFormat.Envelopes.Heartbeat;

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed) => _records.WriteMessage(writer, pushed);

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null) =>
        _records.WriteEvent(writer, name, json, cursor);

    /// <summary>
    /// The end of the connection is reported twice: as <c>close</c> to programs that listen for it, and as SignalR's close message to its
    /// client, which then knows whether to connect again. The WebSocket itself closes with 1000, as SignalR's own server closes it:
    /// SignalR's .NET client discards what it has received and not yet read when it sees any other code, and the reason would be lost with
    /// it.
    /// </summary>
    public override EncodedPage EncodeClose(QueueName? queue, CloseReason reason)
    {
        if (queue is not null)
        {
            return base.EncodeClose(queue, reason);
        }

        var closeFrame = WebSocketFormat.EncodeCloseFrame(reason, WebSocketCloseCodes.AfterReason(reason));
        if (reason == CloseReason.Normal)
        {
            return closeFrame;
        }

        var json = PageWriter.Rent();
        Envelope.WriteClose(json, queue, reason, reason.NextReconnectMs());
        var writer = PageWriter.Rent();
        WriteEvent(writer, "close"u8, json.From(0));
        json.Return();
        _records.WriteCloseMessage(writer, reason);
        var records = Finish(writer, 0, 0);
        writer.Return();
        return new EncodedPage((byte[])[.. records.Bytes.Span, .. closeFrame.Bytes.Span]);
    }

    public override EncodedPage Finish(PageWriter writer, long firstOffset, long lastOffset)
    {
        Span<byte> header = stackalloc byte[WebSocketFormat.HeaderBytesMax];
        header = header[..WebSocketFormat.WriteHeader(header, _records.FrameKind, writer.Length)];
        return new EncodedPage(writer.ToArray(header), firstOffset, lastOffset);
    }
}
