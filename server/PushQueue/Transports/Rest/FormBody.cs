using System.Buffers;

namespace PushQueue.Transports.Rest;

/// <summary>
/// A body that <c>curl -d</c> sends claims to be a form, whatever it is. A body that consists of the one field <c>msg</c> or <c>value</c>
/// is unwrapped; any other body is put as it is, because it may be anything.
/// </summary>
internal static class FormBody
{
    private static readonly SearchValues<byte> JsonStart = SearchValues.Create("{[\"-0123456789tfn"u8);

    /// <summary>The message and its content type.</summary>
    public static (ReadOnlyMemory<byte> Body, string ContentType) Read(ReadOnlyMemory<byte> body)
    {
        var json = JsonBody.SkipMark(body).Span;
        var trimmed = json.TrimStart(" \t\r\n"u8);
        if (!trimmed.IsEmpty && JsonStart.Contains(trimmed[0]) && JsonBody.IsValid(json))
        {
            return (body, ContentTypes.Json);
        }

        return (OnlyField(body.Span, "msg="u8) ?? OnlyField(body.Span, "value="u8) ?? body, ContentTypes.Text);
    }

    private static ReadOnlyMemory<byte>? OnlyField(ReadOnlySpan<byte> form, ReadOnlySpan<byte> name) =>
        form.StartsWith(name) && !form.Contains((byte)'&') ? (ReadOnlyMemory<byte>?)Decode(form[name.Length..]) : null;

    /// <summary>Lenient where a name is strict: it is a body, and a lone '%' in one is just that.</summary>
    public static byte[] Decode(ReadOnlySpan<byte> value)
    {
        var decoded = new byte[value.Length];
        var length = 0;
        for (var i = 0; i < value.Length; i++)
        {
            decoded[length++] = value[i] switch
            {
                (byte)'+' => (byte)' ',
                (byte)'%' when i + 2 < value.Length && char.IsAsciiHexDigit((char)value[i + 1])
                    && char.IsAsciiHexDigit((char)value[i + 2]) =>
                    (byte)((HexValue(value[++i]) << 4) | HexValue(value[++i])),
                var other => other,
            };
        }

        return decoded.AsSpan(0, length).ToArray();
    }

    private static int HexValue(byte c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
