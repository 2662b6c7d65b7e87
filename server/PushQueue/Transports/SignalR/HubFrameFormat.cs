using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The records of <see cref="HubFormat"/>, all of a page in one finished WebSocket frame: written as it is to every subscriber that came
/// through <see cref="HubSocketEndpoint"/>.
/// </summary>
internal sealed class HubFrameFormat : MessageFormat
{
    private readonly MessageFormat _records;

    private HubFrameFormat(MessageFormat records)
    {
        _records = records;
    }

    public static MessageFormat Envelopes { get; } = new HubFrameFormat(HubFormat.Envelopes);

    public static MessageFormat Raw { get; } = new HubFrameFormat(HubFormat.Raw);

    /// <summary>A WebSocket ping; SignalR's own pings come from SignalR.</summary>
    public override EncodedPage? Heartbeat => WebSocketFormat.Envelopes.Heartbeat;

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed) => _records.WriteMessage(writer, pushed);

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null) =>
        _records.WriteEvent(writer, name, json, cursor);

    /// <summary>
    /// The connection's last words are told three times: as <c>close</c> to programs that listen for it, as SignalR's close message to its
    /// client, which then knows whether to connect again, and as WebSocket close. A normal close follows SignalR's own words, or the
    /// client's.
    /// </summary>
    public override EncodedPage EncodeClose(QueueName? queue, CloseReason reason)
    {
        if (queue is not null)
        {
            return base.EncodeClose(queue, reason);
        }

        var closeFrame = WebSocketFormat.Envelopes.EncodeClose(null, reason);
        if (reason == CloseReason.Normal)
        {
            return closeFrame;
        }

        var json = PageWriter.Rent();
        Envelope.WriteClose(json, queue, reason, reason.NextReconnectMs());
        var writer = PageWriter.Rent();
        WriteEvent(writer, "close"u8, json.From(0));
        json.Return();
        writer.Write("{\"type\":7,\"error\":"u8);
        writer.WriteJsonString(reason.Sentence);
        writer.Write(reason.Reconnect ? ",\"allowReconnect\":true}\u001e"u8 : "}\u001e"u8);
        var records = Finish(writer, 0, 0);
        writer.Return();
        return new EncodedPage((byte[])[.. records.Bytes.Span, .. closeFrame.Bytes.Span]);
    }

    public override EncodedPage Finish(PageWriter writer, long firstOffset, long lastOffset)
    {
        Span<byte> header = stackalloc byte[WebSocketFormat.HeaderBytesMax];
        header = header[..WebSocketFormat.WriteHeader(header, WebSocketFormat.FinalText, writer.Length)];
        return new EncodedPage(writer.ToArray(header), firstOffset, lastOffset);
    }
}
