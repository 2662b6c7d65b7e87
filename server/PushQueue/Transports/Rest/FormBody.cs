using System.Buffers;

namespace PushQueue.Transports.Rest;

/// <summary>
/// What <c>curl -d</c> sends claims to be a form whatever it is. A field <c>msg</c> or <c>value</c> is the message; what is no such form
/// is put as it is.
/// </summary>
internal static class FormBody
{
    private static readonly SearchValues<byte> JsonStart = SearchValues.Create("{[\"-0123456789tfn"u8);

    /// <summary>The message and its content type.</summary>
    public static (ReadOnlyMemory<byte> Body, string ContentType) Read(byte[] body)
    {
        var trimmed = body.AsSpan().TrimStart(" \t\r\n"u8);
        if (!trimmed.IsEmpty && JsonStart.Contains(trimmed[0]) && JsonBody.IsValid(body))
        {
            return (body, ContentTypes.Json);
        }

        // JSON that is broken must not be searched for a field: a form never begins like this.
        if (!trimmed.IsEmpty && trimmed[0] is (byte)'{' or (byte)'[' or (byte)'"')
        {
            return (body, ContentTypes.Text);
        }

        var field = Field(body, "msg"u8) ?? Field(body, "value"u8);
        return (field ?? body, ContentTypes.Text);
    }

    /// <summary>The decoded value of a field; null where there is none.</summary>
    public static byte[]? Field(ReadOnlySpan<byte> form, ReadOnlySpan<byte> name)
    {
        foreach (var range in form.Split((byte)'&'))
        {
            var pair = form[range];
            var equals = pair.IndexOf((byte)'=');
            if (equals >= 0 && pair[..equals].SequenceEqual(name))
            {
                return Decode(pair[(equals + 1)..]);
            }
        }

        return null;
    }

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
                (byte)'%' when i + 2 < value.Length && char.IsAsciiHexDigit((char)value[i + 1]) && char.IsAsciiHexDigit((char)value[i + 2]) =>
                    (byte)((HexValue(value[++i]) << 4) | HexValue(value[++i])),
                var other => other,
            };
        }

        return decoded.AsSpan(0, length).ToArray();
    }

    private static int HexValue(byte c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
