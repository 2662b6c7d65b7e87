using System.Text;

namespace PushQueue.Tests.Support;

/// <summary>Damage to a log, as by a bad disk.</summary>
internal static class DiskDamage
{
    /// <summary>Flips a bit of a text that stands once in the log of a folder, also while a store has it open.</summary>
    public static void In(string folder, string text)
    {
        foreach (var file in Directory.GetFiles(folder, "segment-*.log"))
        {
            using var stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            if (bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) is >= 0 and var at)
            {
                stream.Position = at;
                stream.WriteByte((byte)(bytes[at] ^ 0x10));
                return;
            }
        }

        throw new InvalidOperationException($"No log in {folder} holds '{text}'.");
    }
}
