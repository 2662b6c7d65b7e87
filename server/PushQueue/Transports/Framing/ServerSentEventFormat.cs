using System.Text.Unicode;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Framing;

/// <summary>
/// A server-sent event per message. The id is the cursor; a message that was not broadcast has none, because a client cannot resume by it
/// and some send it back as a header that is not ASCII.
/// </summary>
internal class ServerSentEventFormat : MessageFormat
{
    /// <summary>The id of a <c>close</c> after which the client is not to come back.</summary>
    public const string StopId = "stop";

    private readonly bool _raw;
    private readonly bool _ids;

    /// <param name="raw">The body alone.</param>
    /// <param name="ids">
    /// False for a stream over many queues, whose ids are written apart from the messages, because each stream has its own.
    /// </param>
    protected ServerSentEventFormat(bool raw, bool ids = true)
    {
        _raw = raw;
        _ids = ids;
    }

    public static MessageFormat Envelopes { get; } = new ServerSentEventFormat(raw: false);

    public static MessageFormat Raw { get; } = new ServerSentEventFormat(raw: true);

    public static MessageFormat EnvelopesWithoutIds { get; } = new ServerSentEventFormat(raw: false, ids: false);

    public static MessageFormat RawWithoutIds { get; } = new ServerSentEventFormat(raw: true, ids: false);

    public override bool StampsMessages => true;

    public override EncodedPage Heartbeat { get; } = new(":\n\n"u8.ToArray());

    protected override EncodedPage? FirstBytes => Heartbeat;

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed)
    {
        if (_ids && pushed.Message.Offset > 0 && pushed.Epoch.Length > 0)
        {
            WriteId(writer, new Cursor(pushed.Epoch, pushed.Message.Offset));
        }

        writer.Write("data: "u8);
        if (_raw)
        {
            WriteRaw(writer, pushed.Message.Body.Span);
        }
        else
        {
            WriteData(writer, pushed);
        }

        writer.Write("\n\n"u8);
    }

    /// <summary>An id, which a client keeps without an event where no data follow.</summary>
    public override void WriteCheckpoint(PageWriter writer, string cursor, bool ofNextMessage)
    {
        writer.Write("id: "u8);
        writer.WriteUtf8(cursor);
        writer.Write(ofNextMessage ? "\n"u8 : "\n\n"u8);
    }

    /// <summary>The data of an event, on one line; a dialect's own in its place.</summary>
    protected virtual void WriteData(PageWriter writer, in PushedMessage pushed) => Envelope.Write(writer, pushed);

    public override void WriteClose(PageWriter writer, ReadOnlySpan<byte> json, int reconnectMs)
    {
        if (reconnectMs > 0)
        {
            // EventSource connects again by itself, after this time.
            writer.Write("retry: "u8);
            writer.WriteNumber(reconnectMs);
            writer.Write((byte)'\n');
        }
        else
        {
            // EventSource connects again whatever the event says, unless that request is answered with 204. This id identifies the request.
            writer.Write("id: "u8);
            writer.WriteUtf8(StopId);
            writer.Write((byte)'\n');
        }

        WriteEvent(writer, "close"u8, json);
    }

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null)
    {
        if (cursor is { } position)
        {
            WriteId(writer, position);
        }

        writer.Write("event: "u8);
        writer.Write(name);
        writer.Write("\ndata: "u8);
        writer.Write(json);
        writer.Write("\n\n"u8);
    }

    protected static void WriteId(PageWriter writer, in Cursor cursor)
    {
        writer.Write("id: "u8);
        writer.WriteUtf8(cursor.Epoch);
        writer.Write((byte)'.');
        writer.WriteNumber(cursor.Offset);
        writer.Write((byte)'\n');
    }

    /// <summary>A data line per line of the body. An event stream is UTF-8, so a body that is not goes as base64.</summary>
    private static void WriteRaw(PageWriter writer, ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
        {
            writer.WriteBase64(body);
            return;
        }

        while (body.IndexOfAny((byte)'\n', (byte)'\r') is var end and >= 0)
        {
            writer.Write(body[..end]);
            writer.Write("\ndata: "u8);
            body = body[end..].StartsWith("\r\n"u8) ? body[(end + 2)..] : body[(end + 1)..];
        }

        writer.Write(body);
    }
}
