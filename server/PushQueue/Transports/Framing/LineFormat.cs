using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Framing;

/// <summary>A message per line: NDJSON envelopes, or raw bodies each followed by a line end.</summary>
internal sealed class LineFormat : MessageFormat
{
    private readonly bool _raw;

    private LineFormat(bool raw)
    {
        _raw = raw;
    }

    public static MessageFormat Envelopes { get; } = new LineFormat(raw: false);

    public static MessageFormat Raw { get; } = new LineFormat(raw: true);

    public override EncodedPage Heartbeat { get; } = new("\n"u8.ToArray());

    protected override EncodedPage? FirstBytes => Heartbeat;

    public override bool HasPositions => !_raw;

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed)
    {
        if (_raw)
        {
            writer.Write(pushed.Message.Body.Span);
        }
        else
        {
            Envelope.Write(writer, pushed);
        }

        writer.Write((byte)'\n');
    }

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null)
    {
        writer.Write(json);
        writer.Write((byte)'\n');
    }
}
