using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Records of SignalR's JSON protocol: an invocation of <c>message</c> per message, of <c>gap</c>, <c>cancel</c> or <c>close</c> per
/// event. Many records in one page are legal; both official clients read until the buffer is empty.
/// </summary>
internal sealed class HubFormat : HubRecords
{
    private readonly bool _raw;

    private HubFormat(bool raw)
    {
        _raw = raw;
    }

    public static HubFormat Envelopes { get; } = new(raw: false);

    public static HubFormat Raw { get; } = new(raw: true);

    public override string Protocol => "json";

    public override byte FrameKind => WebSocketFormat.FinalText;

    public override void WriteCloseMessage(PageWriter writer, CloseReason reason)
    {
        writer.Write("{\"type\":7,\"error\":"u8);
        writer.WriteJsonString(reason.Sentence);
        writer.Write(reason.Reconnect ? ",\"allowReconnect\":true}\u001e"u8 : "}\u001e"u8);
    }

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed)
    {
        writer.Write("{\"type\":1,\"target\":\"message\",\"arguments\":["u8);
        if (_raw)
        {
            Envelope.WriteBody(writer, pushed.Message.Body.Span, pushed.Kind);
        }
        else
        {
            Envelope.Write(writer, pushed);
        }

        writer.Write("]}\u001e"u8);
    }

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null)
    {
        writer.Write("{\"type\":1,\"target\":\""u8);
        writer.Write(name);
        writer.Write("\",\"arguments\":["u8);
        writer.Write(json);
        writer.Write("]}\u001e"u8);
    }
}
