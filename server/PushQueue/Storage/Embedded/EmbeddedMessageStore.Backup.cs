using System.Formats.Tar;
using System.Globalization;
using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// A copy of the log while it is written. The log only grows at its end, so the files up to their lengths of one moment are what a crash at
/// that moment would have left. Segments that are cleaned away meanwhile stay readable through their pins.
/// </summary>
internal sealed partial class EmbeddedMessageStore : IStoreBackup
{
    public async Task WriteArchiveAsync(Stream destination, CancellationToken cancellationToken)
    {
        var pinned = _services.Log.PinAll();
        try
        {
            var parts = LengthsOf(pinned);
            await using var archive = new TarWriter(destination, TarEntryFormat.Pax, leaveOpen: true);
            foreach (var (segment, length) in parts)
            {
                await using var content = new SegmentPart(segment, length);
                await archive.WriteEntryAsync(
                    new PaxTarEntry(TarEntryType.RegularFile, Segment.FileName(segment.Number)) { DataStream = content },
                        cancellationToken);
            }

            // Last, so that an archive that lacks its end is known for one.
            var count = parts.Count.ToString(CultureInfo.InvariantCulture);
            await using var end = new MemoryStream(Encoding.ASCII.GetBytes(count));
            await archive.WriteEntryAsync(
                new PaxTarEntry(TarEntryType.RegularFile, StoreArchive.EndName) { DataStream = end }, cancellationToken);
        }
        finally
        {
            foreach (var segment in pinned)
            {
                segment.Unpin();
            }
        }
    }

    /// <summary>
    /// Read from the newest to the oldest: where a newer segment has records already, the older one has all of its own by then, so no
    /// record is in the copy without those before it.
    /// </summary>
    private static List<(Segment Segment, long Length)> LengthsOf(IReadOnlyList<Segment> segments)
    {
        var parts = new List<(Segment, long)>(segments.Count);
        for (var i = segments.Count - 1; i >= 0; i--)
        {
            var length = segments[i].Length;
            Interlocked.MemoryBarrier();
            if (length > 0)
            {
                parts.Add((segments[i], length));
            }
        }

        parts.Reverse();
        if (parts is [.., (var last, var end)] && last.EndRecordAt < end)
        {
            // The segment that its end record names is not in the copy.
            parts[^1] = (last, last.EndRecordAt.Value);
        }

        return parts;
    }
}
