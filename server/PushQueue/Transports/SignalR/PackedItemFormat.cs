using System.Buffers.Binary;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Packing;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The items of a streaming call in MessagePack: each a map, with its length in four bytes before it, by which a page is taken apart again.
/// </summary>
internal sealed class PackedItemFormat : MessageFormat
{
    public const int LengthBytes = sizeof(int);

    private PackedItemFormat()
    {
    }

    public static MessageFormat Envelopes { get; } = new PackedItemFormat();

    public static MessageFormat Many { get; } = ManyFormat.Of(Envelopes);

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed)
    {
        var start = writer.Reserve(LengthBytes);
        PackedEnvelope.Write(writer, pushed);
        Finish(writer, start);
    }

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null)
    {
        var start = writer.Reserve(LengthBytes);
        PackedJson.WriteAnswer(writer, json);
        Finish(writer, start);
    }

    private static void Finish(PageWriter writer, int start) =>
        BinaryPrimitives.WriteInt32BigEndian(writer.From(start), writer.Length - start - LengthBytes);
}
