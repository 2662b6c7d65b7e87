using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace PushQueue.Storage.Embedded.Log;

/// <summary>
/// The 12 bytes before every record: mark (2), type (1), zero (1), length of the payload (4), CRC-32C of the first 8 bytes and the payload
/// (4); little endian. The mark lets recovery find the next record behind damage.
/// A change of this layout or of any payload needs a new <see cref="SegmentHeader.CurrentVersion"/>; see docs/storage-format.md.
/// </summary>
internal static class RecordHeader
{
    public const int Size = 12;
    public const byte Mark0 = 0xB5;
    public const byte Mark1 = 0x51;

    /// <summary>Writes all but the checksum, which the log's thread adds when it writes the batch.</summary>
    public static void Write(Span<byte> header, RecordType type, int payloadLength)
    {
        header[0] = Mark0;
        header[1] = Mark1;
        header[2] = (byte)type;
        header[3] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], payloadLength);
    }

    public static int PayloadLength(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadInt32LittleEndian(header[4..]);

    public static void WriteChecksum(Span<byte> record) =>
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], Checksum(record));

    public static bool HasMark(ReadOnlySpan<byte> header) => header[0] == Mark0 && header[1] == Mark1;

    public static bool ChecksumMatches(ReadOnlySpan<byte> record) =>
        BinaryPrimitives.ReadUInt32LittleEndian(record[8..]) == Checksum(record);

    private static uint Checksum(ReadOnlySpan<byte> record)
    {
        var crc = BitOperations.Crc32C(uint.MaxValue, MemoryMarshal.Read<ulong>(record));
        var payload = record[Size..];
        var words = MemoryMarshal.Cast<byte, ulong>(payload);
        foreach (var word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (var b in payload[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}
