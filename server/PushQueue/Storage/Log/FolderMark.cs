using System.Globalization;
using System.Numerics;
using System.Text;

namespace PushQueue.Storage.Log;

/// <summary>
/// A small file in the data folder: one line of text, which ends in its CRC-32C. The file is replaced in one step, so it is never half
/// written.
/// </summary>
internal static class FolderMark
{
    private const int BytesMax = 1024;

    /// <summary>The words of the line; null where the file does not exist. Empty where the file is damaged.</summary>
    public static string[]? Read(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            return null;
        }

        if (file.Length > BytesMax)
        {
            return [];
        }

        var line = File.ReadAllText(path, Encoding.Latin1).TrimEnd('\n');
        var end = line.LastIndexOf(' ');
        return end > 0 && line[(end + 1)..] == Checksum(line[..end]) ? line[..end].Split(' ') : [];
    }

    /// <exception cref="IOException">The disk refused.</exception>
    public static void Write(string path, string line, bool flush)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            file.Write(Encoding.Latin1.GetBytes($"{line} {Checksum(line)}\n"));
            file.Flush(flush);
        }

        File.Move(temporary, path, overwrite: true);
        if (flush)
        {
            LibC.FlushDirectory(Path.GetDirectoryName(path)!);
        }
    }

    private static string Checksum(string line)
    {
        var crc = uint.MaxValue;
        foreach (var character in line)
        {
            crc = BitOperations.Crc32C(crc, (byte)character);
        }

        return (~crc).ToString("x8", CultureInfo.InvariantCulture);
    }
}
