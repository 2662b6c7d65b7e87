using Microsoft.AspNetCore.SignalR.Protocol;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Packing;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Records of SignalR's MessagePack protocol, the same calls as those of <see cref="HubFormat"/>. A record is a list with its length
/// before it; many records in one page are legal here, too.
/// </summary>
internal sealed class PackedHubFormat : HubRecords
{
    /// <summary>The length of most records, 128 to 16383 bytes, takes two bytes.</summary>
    private const int LengthBytesUsual = 2;

    private const byte ListOfThree = 0x93;
    private const byte ListOfFive = 0x95;
    private const byte ListOfOne = 0x91;

    private readonly bool _raw;

    private PackedHubFormat(bool raw)
    {
        _raw = raw;
    }

    public static PackedHubFormat Envelopes { get; } = new(raw: false);

    public static PackedHubFormat Raw { get; } = new(raw: true);

    public override string Protocol => "messagepack";

    public override byte FrameKind => WebSocketFormat.FinalBinary;

    public override void WriteCloseMessage(PageWriter writer, CloseReason reason)
    {
        var start = writer.Reserve(LengthBytesUsual);
        writer.Write(ListOfThree);
        Pack.WriteInteger(writer, (long)HubProtocolConstants.CloseMessageType);
        Pack.WriteText(writer, reason.Sentence);
        Pack.WriteBoolean(writer, reason.Reconnect);
        Finish(writer, start);
    }

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed)
    {
        var start = Begin(writer, "message"u8);
        if (_raw)
        {
            _ = PackedEnvelope.WriteBody(writer, pushed.Message.Body.Span, pushed.Kind);
        }
        else
        {
            PackedEnvelope.Write(writer, pushed);
        }

        Finish(writer, start);
    }

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null)
    {
        var start = Begin(writer, name);
        PackedJson.WriteAnswer(writer, json);
        Finish(writer, start);
    }

    /// <summary>Begins a call without an id, for which no answer is expected, with one argument, which follows.</summary>
    private static int Begin(PageWriter writer, ReadOnlySpan<byte> target)
    {
        var start = writer.Reserve(LengthBytesUsual);
        writer.Write(ListOfFive);
        Pack.WriteInteger(writer, (long)HubProtocolConstants.InvocationMessageType);
        writer.Write(Pack.EmptyMap);
        writer.Write(Pack.Nil);
        Pack.WriteText(writer, target);
        writer.Write(ListOfOne);
        return start;
    }

    /// <summary>Writes the length of the record into its place: seven bits a byte, the lowest first.</summary>
    private static void Finish(PageWriter writer, int start)
    {
        var length = (uint)(writer.Length - start - LengthBytesUsual);
        Span<byte> prefix = stackalloc byte[5];
        var bytes = 0;
        for (var rest = length; rest > 0 || bytes == 0; rest >>= 7)
        {
            prefix[bytes++] = (byte)((rest & 0x7F) | (rest > 0x7F ? 0x80u : 0));
        }

        if (bytes != LengthBytesUsual)
        {
            writer.Shift(start + LengthBytesUsual, bytes - LengthBytesUsual);
        }

        prefix[..bytes].CopyTo(writer.From(start));
    }
}
