using System.Security.Cryptography;
using PushQueue.Queues;

namespace PushQueue.Storage.Embedded.Log;

/// <summary>
/// The first record of a segment, written twice so that damage of one costs nothing: format version, segment number, the durability it was
/// written with, the boot of the machine, and the salt that the marks and checksums of all other records depend on. Version
/// rule: a reader refuses segments of a newer version; a change that an old reader would misread raises the version.
/// </summary>
internal readonly record struct SegmentHeader(int Version, int Number, DurabilityMode Durability, string BootId, uint Salt)
{
    public const int CurrentVersion = 2;

    /// <summary>
    /// No header begins at or behind this byte. Two headers are always longer, so none that a message body holds can be taken for one.
    /// </summary>
    public const int BeginsBefore = 64;

    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>
    /// Tells one boot of the machine from the next: what was handed to the operating system but not flushed survives a killed process,
    /// not a reboot. A random value where the system does not say, so that every start counts as a reboot.
    /// </summary>
    public static string ReadBootId() =>
        File.Exists(BootIdFile) ? File.ReadAllText(BootIdFile).Trim() : Receipt.New().ToString();

    public static uint NewSalt() => BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));

    public void Write(ref SpanWriter writer)
    {
        writer.Number(Version);
        writer.Number(Number);
        writer.Byte((byte)Durability);
        writer.Text(BootId);
        writer.UInt32(Salt);
    }

    public static SegmentHeader Read(ReadOnlySpan<byte> payload)
    {
        var reader = new SpanReader(payload);
        var version = (int)reader.Number();
        if (version > CurrentVersion)
        {
            // What follows may mean something else by then; the version is all that the refusal needs.
            return new SegmentHeader(version, Number: 0, default, "", RecordHeader.FixedSalt);
        }

        return new SegmentHeader(version, (int)reader.Number(), (DurabilityMode)reader.Byte(), reader.Text(), reader.UInt32());
    }
}
