using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Looks through a data folder before anything is replayed, and tells the segments of this log from files that only look like segments:
/// copies, segments of other stores, folders, links and junk. The header decides, not the name. Files that do not belong are reported and
/// left alone.
/// </summary>
internal sealed class SegmentFolder(string directory, LogIdentity identity, StoreDamageLog damage)
{
    private readonly List<SegmentFile> _files = [];
    private readonly List<Segment> _unreadable = [];

    /// <summary>The segments of the log by number, open for reading, the last one also for writing.</summary>
    public IReadOnlyList<SegmentFile> Files => _files;

    /// <summary>Files with the name of a segment whose headers cannot be read. They are not open.</summary>
    public IReadOnlyList<Segment> Unreadable => _unreadable;

    /// <exception cref="StoreOpenException">A segment is of a newer version, or all segments are of another store.</exception>
    public void Read()
    {
        var found = new List<SegmentFile>();
        foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos(Segment.FilePrefix + "*")
            .OrderBy(static entry => entry.Name, StringComparer.Ordinal))
        {
            if (ReadEntry(entry) is { } file)
            {
                found.Add(file);
            }
        }

        KeepOwn(found);
        KeepOneOfEach(found);
        LeaveOldFormatBehindNew();
        if (_files is [.., var last])
        {
            last.Segment.Close();
            last.Segment.OpenFile(FileAccess.ReadWrite);
        }
    }

    private SegmentFile? ReadEntry(FileSystemInfo entry)
    {
        if (!Segment.TryReadNumber(entry.Name, out var number))
        {
            damage.LeftAlone(entry.FullName, "a segment has ten digits in its name");
            return null;
        }

        if (entry.LinkTarget is not null || entry is not FileInfo info)
        {
            damage.LeftAlone(entry.FullName, "a segment is a plain file, not a folder or a link");
            return null;
        }

        // An empty file is not opened: it may be a pipe, which would wait for a writer.
        var segment = new Segment(number, entry.FullName);
        if (info.Length == 0)
        {
            _unreadable.Add(segment);
            return null;
        }

        segment.OpenFile(FileAccess.Read);
        if (TryReadHeader(segment, out var header))
        {
            return new SegmentFile(segment, header);
        }

        segment.Close();
        _unreadable.Add(segment);
        return null;
    }

    private static bool TryReadHeader(Segment segment, out SegmentHeader header)
    {
        Span<byte> beginning = stackalloc byte[SegmentHeader.BothBytes];
        var read = RandomAccess.Read(segment.Handle, beginning, 0);
        if (!SegmentHeader.TryFind(beginning[..read], out header))
        {
            return false;
        }

        if (header.Version > SegmentHeader.CurrentVersion)
        {
            throw new StoreOpenException(
                $"{segment.Path} was written by a newer version of PushQueue (format {header.Version}, this one reads "
                + $"{SegmentHeader.CurrentVersion}); use that version.");
        }

        return true;
    }

    /// <summary>Leaves segments of other stores alone. A folder without an id takes the one that most segments bear.</summary>
    private void KeepOwn(List<SegmentFile> found)
    {
        var ids = found.Where(static file => file.Header.Store != Guid.Empty).GroupBy(static file => file.Header.Store).ToList();
        if (identity.Store is { } own && ids.Count > 0 && ids.TrueForAll(group => group.Key != own) && found.TrueForAll(IsChained))
        {
            throw new StoreOpenException(
                $"The data folder {directory} belongs to another store than all segments in it. Put the segments of this store back, or "
                    + "delete the file 'store' to serve the present ones.");
        }

        identity.Adopt(identity.Store ?? ids.MaxBy(static group => group.Count())?.Key ?? LogIdentity.NewStore());
        foreach (var file in found.Where(file => IsChained(file) && file.Header.Store != identity.Store).ToList())
        {
            LeaveAlone(file, "it is a segment of another store");
            found.Remove(file);
        }
    }

    private void KeepOneOfEach(List<SegmentFile> found)
    {
        foreach (var same in found.GroupBy(static file => file.Header.Number).OrderBy(static group => group.Key))
        {
            var best = same.OrderByDescending(static file => file.Segment.Number == file.Header.Number)
                .ThenByDescending(static file => file.Segment.Length)
                .First();
            foreach (var copy in same.Where(file => file != best))
            {
                LeaveAlone(copy, $"it is a copy of segment {same.Key}");
            }

            if (best.Segment.Number != same.Key)
            {
                damage.Misnamed(best.Segment.Path, same.Key);
                best = Renumber(best);
            }

            best.Segment.Salt = best.Header.Salt;
            best.Segment.Sealed = true;
            _files.Add(best);
        }
    }

    /// <summary>Segments of an old format name no store. All of a log are older than the first of the current format.</summary>
    private void LeaveOldFormatBehindNew()
    {
        var first = _files.FindIndex(IsChained);
        if (first < 0)
        {
            return;
        }

        foreach (var file in _files.Skip(first).Where(static file => !IsChained(file)).ToList())
        {
            LeaveAlone(file, "it is older than the segments before it");
            _files.Remove(file);
        }
    }

    private static bool IsChained(SegmentFile file) => file.Header.Version >= SegmentHeader.FirstChainedVersion;

    private static SegmentFile Renumber(SegmentFile file)
    {
        file.Segment.Close();
        var segment = new Segment(file.Header.Number, file.Segment.Path);
        segment.OpenFile(FileAccess.Read);
        return file with { Segment = segment };
    }

    private void LeaveAlone(SegmentFile file, string reason)
    {
        file.Segment.Close();
        damage.LeftAlone(file.Segment.Path, reason);
    }
}

/// <summary>A segment that belongs to the log.</summary>
internal sealed record SegmentFile(Segment Segment, SegmentHeader Header);
