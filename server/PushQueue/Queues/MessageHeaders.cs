using System.Text;

namespace PushQueue.Queues;

/// <summary>
/// Names and values that travel with a message. Immutable. Kept as one packed array, because a million waiting messages may have headers:
/// per header the length of the name (1 byte), the name in ASCII, the length of the value (2 bytes, big-endian) and the value in UTF-8, in
/// the order of the names. The log and Redis store the same bytes, and filters read them without a copy.
/// </summary>
internal sealed class MessageHeaders : IEquatable<MessageHeaders>
{
    public const int CountMax = 32;

    public const int NameBytesMax = 64;

    /// <summary>Bytes of all names and values together.</summary>
    public const int BytesMax = 4096;

    // Name length and value length of each header.
    private const int FrameBytes = 3;

    private readonly byte[] _packed;

    private MessageHeaders(byte[] packed)
    {
        _packed = packed;
    }

    public ReadOnlySpan<byte> Packed => _packed;

    /// <summary>Headers as a store kept them; null where they are empty.</summary>
    /// <exception cref="InvalidDataException">The bytes are not packed headers.</exception>
    public static MessageHeaders? FromPacked(ReadOnlySpan<byte> packed)
    {
        if (packed.IsEmpty)
        {
            return null;
        }

        var rest = packed;
        while (!rest.IsEmpty)
        {
            var name = rest[0];
            var valueAt = 1 + name + 2;
            if (rest.Length < valueAt || rest.Length < valueAt + ValueLength(rest, name))
            {
                throw new InvalidDataException("The headers of the message end too early.");
            }

            rest = rest[(valueAt + ValueLength(rest, name))..];
        }

        return new MessageHeaders(packed.ToArray());
    }

    /// <summary>Packs headers that <see cref="MessageHeadersBuilder"/> has checked.</summary>
    internal static MessageHeaders Pack(SortedList<string, string> headers)
    {
        var length = 0;
        foreach (var (name, value) in headers)
        {
            length += FrameBytes + name.Length + Encoding.UTF8.GetByteCount(value);
        }

        var packed = new byte[length];
        var rest = packed.AsSpan();
        foreach (var (name, value) in headers)
        {
            rest[0] = (byte)name.Length;
            Encoding.ASCII.GetBytes(name, rest[1..]);
            var valueLength = Encoding.UTF8.GetBytes(value, rest[(FrameBytes + name.Length)..]);
            rest[1 + name.Length] = (byte)(valueLength >> 8);
            rest[2 + name.Length] = (byte)valueLength;
            rest = rest[(FrameBytes + name.Length + valueLength)..];
        }

        return new MessageHeaders(packed);
    }

    /// <summary>Walks over the headers in the order of their names, without a copy.</summary>
    public Enumerator GetEnumerator() => new(_packed);

    /// <summary>The value of a header; false where the message has no header of that name.</summary>
    /// <param name="name">The name in lower case.</param>
    /// <param name="value">The value in UTF-8.</param>
    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        foreach (var header in this)
        {
            if (header.Name.SequenceEqual(name))
            {
                value = header.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    public bool Equals(MessageHeaders? other) => other is not null && _packed.AsSpan().SequenceEqual(other._packed);

    public override bool Equals(object? obj) => Equals(obj as MessageHeaders);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_packed);
        return hash.ToHashCode();
    }

    /// <summary>For test failures and debuggers: <c>a=1, b=2</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var header in this)
        {
            text.Append(text.Length == 0 ? "" : ", ").Append(header.NameText).Append('=').Append(header.ValueText);
        }

        return text.ToString();
    }

    private static int ValueLength(ReadOnlySpan<byte> header, int nameLength) => (header[1 + nameLength] << 8) | header[2 + nameLength];

    /// <summary>One header.</summary>
    /// <param name="name">The name in lower-case ASCII.</param>
    /// <param name="value">The value in UTF-8.</param>
    public readonly ref struct Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        public ReadOnlySpan<byte> Name { get; } = name;

        public ReadOnlySpan<byte> Value { get; } = value;

        public string NameText => Encoding.ASCII.GetString(Name);

        public string ValueText => Encoding.UTF8.GetString(Value);
    }

    /// <summary>The walk over packed headers.</summary>
    public ref struct Enumerator(ReadOnlySpan<byte> packed)
    {
        private ReadOnlySpan<byte> _rest = packed;

        public Header Current { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            var name = _rest[0];
            var valueAt = FrameBytes + name;
            var value = ValueLength(_rest, name);
            Current = new Header(_rest.Slice(1, name), _rest.Slice(valueAt, value));
            _rest = _rest[(valueAt + value)..];
            return true;
        }
    }
}
