using System.Text;

namespace PushQueue.SystemTests.Operations;

/// <summary>Reads protobuf without knowing its schema: as much as a test needs to see what a collector was sent.</summary>
internal static class ProtobufReader
{
    private const int LengthDelimited = 2;

    /// <summary>The fields of a message that hold bytes, in their order; numbers are stepped over.</summary>
    public static IEnumerable<(int Field, ReadOnlyMemory<byte> Value)> Fields(ReadOnlyMemory<byte> message)
    {
        var at = 0;
        while (at < message.Length)
        {
            var key = Number(message.Span, ref at);
            switch ((int)(key & 7))
            {
                case 0:
                    _ = Number(message.Span, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case LengthDelimited:
                    var length = (int)Number(message.Span, ref at);
                    yield return ((int)(key >> 3), message.Slice(at, length));
                    at += length;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"Wire type {key & 7} at byte {at}");
            }
        }
    }

    /// <summary>All values under a path of field numbers.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> At(ReadOnlyMemory<byte> message, params int[] path) =>
        path.Length == 0
            ? [message]
            : Fields(message).Where(field => field.Field == path[0]).SelectMany(field => At(field.Value, path[1..]));

    public static string Text(ReadOnlyMemory<byte> value) => Encoding.UTF8.GetString(value.Span);

    private static ulong Number(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
