using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using PushQueue.Queues;

namespace PushQueue.Delivery.Encoding;

/// <summary>
/// The cursor of a stream over many queues: the position in each of them, in base64url. The bytes: a version; the id of the selection of
/// queues; for each queue its offset with the kind in the two lowest bits (a varint), three bytes of the hash of its name and, where it has
/// one, its epoch; at the end a CRC-32C over the rest.
/// </summary>
internal sealed class SetCursor
{
    /// <summary>The longest text that is read: twice that of 1,100 queues with the largest offsets.</summary>
    public const int CharsMax = 64 * 1024;

    /// <summary>As many as a stream can have.</summary>
    public const int PositionsMax = QueueSelection.NamesMax + QueueSelection.MatchingMax;

    private const byte Version = 1;
    private const int HeadBytes = 5;
    private const int CheckBytes = 4;
    private const int HashBytes = 3;
    private const int EpochBytes = 4;
    private const int OffsetBytesMax = 10;

    private readonly Dictionary<int, List<SetPosition>> _positions;

    private SetCursor(uint selection, Dictionary<int, List<SetPosition>> positions)
    {
        Selection = selection;
        _positions = positions;
    }

    /// <summary>See <see cref="QueueSelection.Id"/>.</summary>
    public uint Selection { get; }

    /// <summary>The name of a queue in the cursor: 24 bits of the hash of its name.</summary>
    public static int HashOf(QueueName queue)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(queue.Value), hash);
        return hash[0] | (hash[1] << 8) | (hash[2] << 16);
    }

    /// <summary>
    /// Where a queue was. Nearly always one position; several where names have the same hash, distinguished by the epoch; none for a queue
    /// that was not in the stream.
    /// </summary>
    public IReadOnlyList<SetPosition> PositionsOf(QueueName queue) => _positions.GetValueOrDefault(HashOf(queue)) ?? [];

    public static string Encode(uint selection, ReadOnlySpan<(int Hash, SetPosition Position)> positions)
    {
        var bytes = new byte[HeadBytes + (positions.Length * (OffsetBytesMax + HashBytes + EpochBytes)) + CheckBytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(1), selection);
        var end = HeadBytes;
        foreach (var (hash, position) in positions)
        {
            for (var rest = ((ulong)position.Offset << 2) | (uint)position.Kind; ; rest >>= 7)
            {
                bytes[end++] = (byte)(rest < 0x80 ? rest : rest | 0x80);
                if (rest < 0x80)
                {
                    break;
                }
            }

            bytes[end++] = (byte)hash;
            bytes[end++] = (byte)(hash >> 8);
            bytes[end++] = (byte)(hash >> 16);
            if (position.Kind == SetPositionKind.Epoch)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(end), position.EpochNumber);
                end += EpochBytes;
            }
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(end), CheckOf(bytes.AsSpan(0, end)));
        return Base64Url.EncodeToString(bytes.AsSpan(0, end + CheckBytes));
    }

    public static bool TryParse(string text, out SetCursor? cursor)
    {
        cursor = null;
        if (text.Length > CharsMax || !Base64Url.IsValid(text))
        {
            return false;
        }

        ReadOnlySpan<byte> bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length < HeadBytes + CheckBytes || bytes[0] != Version
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[^CheckBytes..]) != CheckOf(bytes[..^CheckBytes]))
        {
            return false;
        }

        var count = 0;
        var positions = new Dictionary<int, List<SetPosition>>();
        for (var rest = bytes[HeadBytes..^CheckBytes]; !rest.IsEmpty;)
        {
            if (++count > PositionsMax || !TryReadPosition(ref rest, out var hash, out var position))
            {
                return false;
            }

            if (!positions.TryGetValue(hash, out var same))
            {
                positions[hash] = same = [];
            }

            same.Add(position);
        }

        cursor = new SetCursor(BinaryPrimitives.ReadUInt32LittleEndian(bytes[1..]), positions);
        return true;
    }

    private static bool TryReadPosition(ref ReadOnlySpan<byte> rest, out int hash, out SetPosition position)
    {
        (hash, position) = (0, default);
        var head = 0UL;
        var length = 0;
        byte last;
        do
        {
            if (length == rest.Length || length == OffsetBytesMax)
            {
                return false;
            }

            last = rest[length];
            head |= (ulong)(last & 0x7F) << (7 * length++);
        }
        while (last >= 0x80);

        var kind = (SetPositionKind)(head & 3);
        var bytes = HashBytes + (kind == SetPositionKind.Epoch ? EpochBytes : 0);
        rest = rest[length..];
        if (kind > SetPositionKind.Earliest || rest.Length < bytes || head >> 2 >= long.MaxValue)
        {
            return false;
        }

        hash = rest[0] | (rest[1] << 8) | (rest[2] << 16);
        var epoch = kind == SetPositionKind.Epoch
            ? BinaryPrimitives.ReadUInt32LittleEndian(rest[HashBytes..]).ToString("x8", CultureInfo.InvariantCulture)
            : "";
        position = new SetPosition(kind, epoch, (long)(head >> 2));
        rest = rest[bytes..];
        return true;
    }

    private static uint CheckOf(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}
