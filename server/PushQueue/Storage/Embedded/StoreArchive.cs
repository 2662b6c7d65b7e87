using System.Formats.Tar;
using System.Globalization;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The archive of a backup: a tar of the log's segments, oldest first, and last an entry that says how many there are. Restoring leaves a
/// mark in the folder: what was broadcast after the backup is forgotten, so the store must begin new epochs, or offsets would be given
/// twice.
/// </summary>
public static class StoreArchive
{
    internal const string EndName = "end-of-backup";

    internal const string RestoredMark = "restored";

    /// <summary>The new epochs of a restored log are on disk: the next start needs no others.</summary>
    internal static void ForgetRestore(string directory) => File.Delete(Path.Combine(directory, RestoredMark));

    /// <summary>Reads an archive to its end.</summary>
    /// <returns>How many bytes of log it holds.</returns>
    /// <exception cref="InvalidDataException">It is not an archive, or lacks its end; the message says so.</exception>
    public static Task<long> CheckAsync(Stream archive, CancellationToken cancellationToken) =>
        ReadAsync(archive, directory: null, cancellationToken);

    /// <summary>Unpacks an archive into a folder for a server to start with.</summary>
    /// <returns>How many bytes of log it holds.</returns>
    /// <exception cref="InvalidDataException">
    /// It is not an archive or lacks its end, or the folder holds a log; nothing was left in the folder.
    /// </exception>
    public static async Task<long> RestoreAsync(Stream archive, string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        if (Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new InvalidDataException($"The folder {directory} is not empty; give an empty folder with --data.");
        }

        try
        {
            await WriteAsync(Path.Combine(directory, RestoredMark), Stream.Null, cancellationToken);
            var bytes = await ReadAsync(archive, directory, cancellationToken);
            PushQueue.Storage.Log.LibC.FlushDirectory(directory);
            return bytes;
        }
        catch
        {
            foreach (var file in Directory.EnumerateFiles(directory))
            {
                File.Delete(file);
            }

            throw;
        }
    }

    private static async Task<long> ReadAsync(Stream archive, string? directory, CancellationToken cancellationToken)
    {
        var bytes = 0L;
        var segments = 0;
        await using var reader = new TarReader(archive, leaveOpen: true);
        try
        {
            while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                var content = entry.DataStream ?? Stream.Null;
                if (entry.Name == EndName)
                {
                    return await ReadEndAsync(content, cancellationToken) == segments
                        ? bytes
                        : throw new InvalidDataException("Some files of the backup are missing; make a new backup.");
                }

                if (!IsSegment(entry.Name))
                {
                    throw new InvalidDataException(
                        $"The backup holds '{entry.Name}', which does not belong to a log; give a file that the backup command wrote.");
                }

                bytes += entry.Length;
                segments++;
                var target = directory is null ? null : Path.Combine(directory, entry.Name);
                await WriteAsync(target, content, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is EndOfStreamException or FormatException)
        {
            throw new InvalidDataException($"The backup is cut off or damaged: {exception.Message}", exception);
        }

        throw new InvalidDataException("The end of the backup is missing; make a new backup.");
    }

    private static async Task WriteAsync(string? path, Stream content, CancellationToken cancellationToken)
    {
        if (path is null)
        {
            await content.CopyToAsync(Stream.Null, cancellationToken);
            return;
        }

        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        await content.CopyToAsync(file, cancellationToken);
        file.Flush(flushToDisk: true);
    }

    private static async Task<int> ReadEndAsync(Stream content, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(content);
        return int.TryParse(await reader.ReadToEndAsync(cancellationToken), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count
            : -1;
    }

    private static bool IsSegment(string name) =>
        name.StartsWith("segment-", StringComparison.Ordinal)
        && name.EndsWith(".log", StringComparison.Ordinal)
        && name["segment-".Length..^".log".Length] is { Length: >= 10 } number
        && number.All(char.IsAsciiDigit);
}
