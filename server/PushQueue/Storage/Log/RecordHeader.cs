using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace PushQueue.Storage.Log;

/// <summary>
/// The 12 bytes before every record: mark (2), type (1), check of the header (1), length of the payload (4), CRC-32C (4) of the first
/// 8 bytes
/// and the payload; little endian. The mark lets recovery find the next record behind damage. Mark, check and CRC depend on the segment's
/// salt, which nobody outside knows: a message body cannot hold what would be taken for a record.
/// A change of this layout or of any payload needs a new <see cref="SegmentHeader.CurrentVersion"/>; see docs/storage-format.md.
/// </summary>
internal static class RecordHeader
{
    public const int Size = 12;

    /// <summary>The salt of the records that tell a segment's salt.</summary>
    public const uint FixedSalt = 0;

    private const ushort FixedMark = 0x51B5;

    /// <summary>Writes type and length; the log's thread adds the rest when it writes the batch and knows the segment.</summary>
    public static void Write(Span<byte> header, byte type, int payloadLength)
    {
        header[..4].Clear();
        header[2] = type;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], payloadLength);
    }

    public static int PayloadLength(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadInt32LittleEndian(header[4..]);

    public static ushort Mark(uint salt) => (ushort)(FixedMark ^ (salt >> 16));

    /// <summary>Adds what depends on the segment's salt.</summary>
    public static void WriteChecksum(Span<byte> record, uint salt)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(record, Mark(salt));
        record[3] = Check(record, salt);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], Checksum(record, salt));
    }

    /// <summary>
    /// Whether a record with that salt begins here. It keeps the search behind damage cheap (few places are worth a checksum) and the
    /// length
    /// trustworthy where the record is cut off.
    /// </summary>
    public static bool BeginsRecord(ReadOnlySpan<byte> header, uint salt) =>
        BinaryPrimitives.ReadUInt16LittleEndian(header) == Mark(salt)
        && header[2] is > 0 and <= LogRecordType.Last
        && header[3] == Check(header, salt)
        && PayloadLength(header) >= 0;

    public static bool ChecksumMatches(ReadOnlySpan<byte> record, uint salt) =>
        BinaryPrimitives.ReadUInt32LittleEndian(record[8..]) == Checksum(record, salt);

    /// <summary>CRC-8 (polynomial 07) of type and length, begun with the salt: no flip of up to three bits passes.</summary>
    private static byte Check(ReadOnlySpan<byte> header, uint salt)
    {
        var check = Next(Next(0xFF, (byte)salt), (byte)(salt >> 8));
        check = Next(check, header[2]);
        for (var i = 4; i < 8; i++)
        {
            check = Next(check, header[i]);
        }

        return check;

        static byte Next(byte check, byte value) => Crc8[check ^ value];
    }

    private static readonly byte[] Crc8 = MakeCrc8();

    private static byte[] MakeCrc8()
    {
        var table = new byte[256];
        for (var i = 0; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 0x80) != 0 ? (value << 1) ^ 0x07 : value << 1;
            }

            table[i] = (byte)value;
        }

        return table;
    }

    private static uint Checksum(ReadOnlySpan<byte> record, uint salt)
    {
        var crc = BitOperations.Crc32C(~salt, MemoryMarshal.Read<ulong>(record));
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
