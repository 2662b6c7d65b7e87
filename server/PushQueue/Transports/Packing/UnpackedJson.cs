using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Unicode;
using MessagePack;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Packing;

/// <summary>
/// An argument of a call in MessagePack as the JSON that a client of the JSON protocol would have sent: bin as a string of base64, a
/// timestamp as a string in ISO 8601, keys that are whole numbers as strings.
/// </summary>
internal static class UnpackedJson
{
    private const sbyte Timestamp = -1;

    /// <summary>Writes the value at which the reader stands as JSON. The problem where JSON cannot express it.</summary>
    public static Problem? Write(ref MessagePackReader reader, PageWriter json) => Write(ref reader, json, JsonDepth.Body);

    private static Problem? Write(ref MessagePackReader reader, PageWriter json, int levels)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Nil:
                _ = reader.ReadNil();
                json.Write("null"u8);
                return null;
            case MessagePackType.Boolean:
                json.Write(reader.ReadBoolean() ? "true"u8 : "false"u8);
                return null;
            case MessagePackType.Integer:
                WriteInteger(ref reader, json);
                return null;
            case MessagePackType.Float:
                return WriteFloat(ref reader, json);
            case MessagePackType.String:
                return WriteText(ref reader, json);
            case MessagePackType.Binary:
                WriteBytes(ref reader, json);
                return null;
            case MessagePackType.Array:
                return levels == 0 ? TooDeep() : WriteList(ref reader, json, levels - 1);
            case MessagePackType.Map:
                return levels == 0 ? TooDeep() : WriteMap(ref reader, json, levels - 1);
            case MessagePackType.Extension:
                return WriteExtension(ref reader, json);
            default:
                return Problem.BadJson("An argument of the call is not a MessagePack value.");
        }
    }

    /// <summary>Bytes as a JSON string of base64.</summary>
    public static void WriteBytes(ref MessagePackReader reader, PageWriter json)
    {
        var bytes = reader.ReadBytes().GetValueOrDefault();
        json.Write((byte)'"');
        json.WriteBase64(bytes.IsSingleSegment ? bytes.FirstSpan : bytes.ToArray());
        json.Write((byte)'"');
    }

    private static Problem TooDeep() => Problem.BadJson($"An argument of the call is nested more than {JsonDepth.Body} levels deep.");

    private static Problem? WriteList(ref MessagePackReader reader, PageWriter json, int levels)
    {
        var count = reader.ReadArrayHeader();
        json.Write((byte)'[');
        for (var i = 0; i < count; i++)
        {
            json.Write(i == 0 ? default : ","u8);
            if (Write(ref reader, json, levels) is { } problem)
            {
                return problem;
            }
        }

        json.Write((byte)']');
        return null;
    }

    private static Problem? WriteMap(ref MessagePackReader reader, PageWriter json, int levels)
    {
        var count = reader.ReadMapHeader();
        json.Write((byte)'{');
        for (var i = 0; i < count; i++)
        {
            json.Write(i == 0 ? default : ","u8);
            if (WriteKey(ref reader, json) is { } wrong)
            {
                return wrong;
            }

            json.Write((byte)':');
            if (Write(ref reader, json, levels) is { } problem)
            {
                return problem;
            }
        }

        json.Write((byte)'}');
        return null;
    }

    private static Problem? WriteKey(ref MessagePackReader reader, PageWriter json)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.String:
                return WriteText(ref reader, json);
            case MessagePackType.Integer:
                json.Write((byte)'"');
                WriteInteger(ref reader, json);
                json.Write((byte)'"');
                return null;
            default:
                return Problem.BadJson("A key of a map in an argument is neither a string nor a whole number.");
        }
    }

    private static void WriteInteger(ref MessagePackReader reader, PageWriter json)
    {
        if (reader.NextCode != MessagePackCode.UInt64)
        {
            json.WriteNumber(reader.ReadInt64());
            return;
        }

        Span<byte> digits = stackalloc byte[20];
        _ = Utf8Formatter.TryFormat(reader.ReadUInt64(), digits, out var length);
        json.Write(digits[..length]);
    }

    private static Problem? WriteFloat(ref MessagePackReader reader, PageWriter json)
    {
        // A float of 32 bits in as many digits as it has, not in those of the double that is the same number.
        Span<byte> text = stackalloc byte[40];
        bool finite;
        int length;
        if (reader.NextCode == MessagePackCode.Float32)
        {
            var value = reader.ReadSingle();
            finite = float.IsFinite(value);
            _ = Utf8Formatter.TryFormat(value, text, out length);
        }
        else
        {
            var value = reader.ReadDouble();
            finite = double.IsFinite(value);
            _ = Utf8Formatter.TryFormat(value, text, out length);
        }

        json.Write(text[..length]);
        return finite ? null : Problem.BadJson("An argument of the call holds a number that is not finite, which JSON cannot express.");
    }

    private static Problem? WriteText(ref MessagePackReader reader, PageWriter json)
    {
        var sequence = reader.ReadStringSequence().GetValueOrDefault();
        var text = sequence.IsSingleSegment ? sequence.FirstSpan : sequence.ToArray();
        if (!Utf8.IsValid(text))
        {
            return Problem.BadJson("A string in an argument of the call is not valid UTF-8.");
        }

        json.WriteJsonString(text);
        return null;
    }

    private static Problem? WriteExtension(ref MessagePackReader reader, PageWriter json)
    {
        var header = reader.ReadExtensionFormatHeader();
        if (header.TypeCode != Timestamp)
        {
            return Problem.BadJson(
                $"An argument of the call holds a MessagePack extension of type {header.TypeCode}; only timestamps (type -1) are taken.");
        }

        if (header.Length is not (4 or 8 or 12))
        {
            return Problem.BadJson("A timestamp in an argument of the call has another length than 4, 8 or 12 bytes.");
        }

        try
        {
            var time = reader.ReadDateTime(header);
            json.WriteJsonString(time.ToString("O", CultureInfo.InvariantCulture));
            return null;
        }
        catch (ArgumentOutOfRangeException)
        {
            // The reader reports a year beyond 9999 only by this exception.
            return Problem.BadJson("A timestamp in an argument of the call is not between the years 1 and 9999.");
        }
    }
}
