using System.Security.Cryptography;
using PushQueue.Queues;

namespace PushQueue.Storage.Log;

/// <summary>
/// The first record of a segment, written twice so that damage of one costs nothing: format version, segment number, the durability it
/// was
/// written with, the boot of the machine, the salt that the marks and checksums of all other records depend on, the store that the
/// segment
/// belongs to, and the extent of the segment before it. Version rule: a reader refuses segments of a newer version; a change that an old
/// reader would misread raises the version.
/// </summary>
/// <param name="Version">The format version.</param>
/// <param name="Number">The segment's number.</param>
/// <param name="Durability">The durability of its records.</param>
/// <param name="BootId">The boot of the machine that wrote it.</param>
/// <param name="Salt">The salt of marks and checksums.</param>
/// <param name="Store">The store's id; empty in versions 1 and 2.</param>
/// <param name="Previous">The segment before this one, as it was when this one was begun; number 0 in versions 1 and 2.</param>
internal readonly record struct SegmentHeader(
    int Version, int Number, DurabilityMode Durability, string BootId, uint Salt, Guid Store = default, SegmentExtent Previous = default)
{
    public const int CurrentVersion = 4;

    /// <summary>The first version that names store and previous segment.</summary>
    public const int FirstChainedVersion = 3;

    /// <summary>Bytes of one header record since version 3: the copy begins exactly there.</summary>
    public const int RecordBytes = 128;

    /// <summary>Bytes of both header records since version 3.</summary>
    public const int BothBytes = 2 * RecordBytes;

    /// <summary>
    /// In versions 1 and 2 no header begins at or behind this byte. Two headers are always longer, so a message body cannot pass for one.
    /// </summary>
    private const int OldBeginsBefore = 64;

    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>
    /// Tells one boot of the machine from the next: what was handed to the operating system but not flushed survives a killed process,
    /// not a reboot. A random value where the system does not say, so that every start counts as a reboot.
    /// </summary>
    public static string ReadBootId() =>
        File.Exists(BootIdFile) ? File.ReadAllText(BootIdFile).Trim() : Convert.ToHexString(RandomNumberGenerator.GetBytes(16));

    public static uint NewSalt() => BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));

    /// <summary>Whether a header record may begin at this byte of a segment.</summary>
    public static bool MayBeginAt(long offset) => offset is < OldBeginsBefore or RecordBytes;

    /// <summary>Writes both header records, without marks and checksums.</summary>
    public void WriteBoth(Span<byte> destination)
    {
        destination = destination[..BothBytes];
        destination.Clear();
        var writer = new SpanWriter(destination[RecordHeader.Size..RecordBytes]);
        Write(ref writer);
        RecordHeader.Write(destination, LogRecordType.SegmentHeader, RecordBytes - RecordHeader.Size);
        destination[..RecordBytes].CopyTo(destination[RecordBytes..]);
    }

    /// <summary>Finds the header or its copy in the first bytes of a file. False where damage took both, or where no log wrote the
    /// file.</summary>
    public static bool TryFind(ReadOnlySpan<byte> beginning, out SegmentHeader header)
    {
        for (var at = 0; at + RecordHeader.Size <= beginning.Length; at++)
        {
            var record = beginning[at..];
            if (!MayBeginAt(at)
                || record[2] != LogRecordType.SegmentHeader
                || !RecordHeader.BeginsRecord(record, RecordHeader.FixedSalt)
                || RecordHeader.PayloadLength(record) > record.Length - RecordHeader.Size)
            {
                continue;
            }

            record = record[..(RecordHeader.Size + RecordHeader.PayloadLength(record))];
            if (RecordHeader.ChecksumMatches(record, RecordHeader.FixedSalt))
            {
                header = Read(record[RecordHeader.Size..]);
                return true;
            }
        }

        header = default;
        return false;
    }

    public static SegmentHeader Read(ReadOnlySpan<byte> payload)
    {
        var reader = new SpanReader(payload);
        var version = (int)reader.Number();
        if (version > CurrentVersion)
        {
            // The fields that follow may mean something else by then; the version is all that the refusal needs.
            return new SegmentHeader(version, Number: 0, default, "", RecordHeader.FixedSalt);
        }

        var header = new SegmentHeader(version, (int)reader.Number(), (DurabilityMode)reader.Byte(), reader.Text(), reader.UInt32());
        return version < FirstChainedVersion
            ? header
            : header with { Store = new Guid(reader.Bytes(16)), Previous = SegmentExtent.Read(ref reader) };
    }

    private void Write(ref SpanWriter writer)
    {
        Span<byte> store = stackalloc byte[16];
        _ = Store.TryWriteBytes(store);
        writer.Number(Version);
        writer.Number(Number);
        writer.Byte((byte)Durability);
        writer.Text(BootId);
        writer.UInt32(Salt);
        writer.Bytes(store);
        Previous.Write(ref writer);
    }
}
