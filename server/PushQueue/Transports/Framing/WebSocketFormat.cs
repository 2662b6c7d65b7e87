using System.Buffers.Binary;
using System.Text.Unicode;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports.Framing;

/// <summary>
/// A WebSocket frame per message, framed by hand: a server's frames carry no mask, so one page of frames serves every subscriber in
/// one write, where <c>WebSocket.SendAsync</c> would copy and flush each frame for each of them.
/// </summary>
internal class WebSocketFormat : MessageFormat
{
    public const byte FinalText = 0x81;
    public const byte FinalBinary = 0x82;
    public const int HeaderBytesMax = 10;

    private const byte FinalClose = 0x88;
    private const byte FinalPong = 0x8A;

    private readonly bool _raw;

    protected WebSocketFormat(bool raw)
    {
        _raw = raw;
    }

    public static MessageFormat Envelopes { get; } = new WebSocketFormat(raw: false);

    public static MessageFormat Raw { get; } = new WebSocketFormat(raw: true);

    /// <summary>A ping without a body.</summary>
    public override EncodedPage Heartbeat { get; } = new(new byte[] { 0x89, 0 });

    public override bool HasPositions => !_raw;

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed)
    {
        if (_raw)
        {
            var body = pushed.Message.Body.Span;
            var text = pushed.Kind != BodyKind.Binary || Utf8.IsValid(body);
            WriteFrame(writer, text ? FinalText : FinalBinary, body);
            return;
        }

        // The payload's length is known once it is written: written behind a two-byte header first, moved where that is too small.
        var start = writer.Reserve(2);
        WritePayload(writer, pushed);
        FinishFrame(writer, start);
    }

    /// <summary>The text of a frame; a dialect's own in its place.</summary>
    protected virtual void WritePayload(PageWriter writer, in PushedMessage pushed) => Envelope.Write(writer, pushed);

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null) =>
        WriteFrame(writer, FinalText, json);

    public override EncodedPage EncodeClose(QueueName? queue, CloseReason reason) =>
        queue is null ? EncodeCloseFrame(reason, WebSocketCloseCodes.Of(reason)) : base.EncodeClose(queue, reason);

    public static EncodedPage EncodeCloseFrame(CloseReason reason, ushort code)
    {
        // Where connecting again makes sense a program reads the reason, so it is JSON: its names are short enough for a close frame.
        var text = reason.Reconnect
            ? $$"""{"code":"{{reason.Name}}","reconnectMs":{{reason.NextReconnectMs()}}}"""
            : reason.Sentence;
        var payload = new byte[2 + System.Text.Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteUInt16BigEndian(payload, code);
        _ = System.Text.Encoding.UTF8.GetBytes(text, payload.AsSpan(2));
        return EncodeFrame(FinalClose, payload);
    }

    public static EncodedPage EncodeText(ReadOnlySpan<byte> payload) => EncodeFrame(FinalText, payload);

    public static EncodedPage EncodePong(ReadOnlySpan<byte> payload) => EncodeFrame(FinalPong, payload);

    /// <summary>Writes the header of an unmasked frame and tells its length.</summary>
    public static int WriteHeader(Span<byte> header, byte kind, int length)
    {
        header[0] = kind;
        switch (length)
        {
            case < 126:
                header[1] = (byte)length;
                return 2;
            case <= ushort.MaxValue:
                header[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)length);
                return 4;
            default:
                header[1] = 127;
                BinaryPrimitives.WriteInt64BigEndian(header[2..], length);
                return 10;
        }
    }

    private static EncodedPage EncodeFrame(byte kind, ReadOnlySpan<byte> payload)
    {
        var writer = PageWriter.Rent();
        WriteFrame(writer, kind, payload);
        var page = new EncodedPage(writer.ToArray());
        writer.Return();
        return page;
    }

    private static void WriteFrame(PageWriter writer, byte kind, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[HeaderBytesMax];
        writer.Write(header[..WriteHeader(header, kind, payload.Length)]);
        writer.Write(payload);
    }

    private static void FinishFrame(PageWriter writer, int start)
    {
        var length = writer.Length - start - 2;
        Span<byte> header = stackalloc byte[HeaderBytesMax];
        var headerLength = WriteHeader(header, FinalText, length);
        if (headerLength > 2)
        {
            writer.Shift(start + 2, headerLength - 2);
        }

        header[..headerLength].CopyTo(writer.From(start));
    }
}
