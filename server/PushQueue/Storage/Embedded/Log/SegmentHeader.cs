using PushQueue.Queues;

namespace PushQueue.Storage.Embedded.Log;

/// <summary>
/// The first record of a segment: format version, segment number, the durability it was written with and the boot of the machine. Version
/// rule: a reader refuses segments of a newer version; a change that an old reader would misread raises the version.
/// </summary>
internal readonly record struct SegmentHeader(int Version, int Number, DurabilityMode Durability, string BootId)
{
    public const int CurrentVersion = 1;
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>
    /// Tells one boot of the machine from the next: what was handed to the operating system but not flushed survives a killed process,
    /// not a reboot. A random value where the system does not say, so that every start counts as a reboot.
    /// </summary>
    public static string ReadBootId() =>
        File.Exists(BootIdFile) ? File.ReadAllText(BootIdFile).Trim() : Receipt.New().ToString();

    public void Write(ref SpanWriter writer)
    {
        writer.Number(Version);
        writer.Number(Number);
        writer.Byte((byte)Durability);
        writer.Text(BootId);
    }

    public static SegmentHeader Read(ReadOnlySpan<byte> payload)
    {
        var reader = new SpanReader(payload);
        return new SegmentHeader((int)reader.Number(), (int)reader.Number(), (DurabilityMode)reader.Byte(), reader.Text());
    }
}
