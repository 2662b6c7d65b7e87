using PushQueue.Storage.Log;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>The messages that a start should find in a folder: a second, simpler reading of the rules in docs/storage-format.md.</summary>
internal sealed class SpoiledFolder
{
    private readonly List<string> _whole = [];
    private readonly List<string> _strangers = [];

    public SpoiledFolder(string path, LogFolder original)
    {
        var own = LogFolder.Segments(original.Crashed).Select(HeaderOf).First()!.Value.Store;
        var found = new List<(string Path, int Name, SegmentHeader Header, byte[] Bytes)>();
        foreach (var entry in new DirectoryInfo(path).GetFileSystemInfos("segment-*"))
        {
            if (!Segment.TryReadNumber(entry.Name, out var number) || entry.LinkTarget is not null || entry is not FileInfo file)
            {
                _strangers.Add(entry.FullName);
            }
            else if (file.Length > 0 && HeaderOf(file.FullName) is { } header)
            {
                found.Add((file.FullName, number, header, File.ReadAllBytes(file.FullName)));
            }
        }

        HasOnlyForeignSegments = found.Count > 0 && found.TrueForAll(file => file.Header.Store != own);
        _strangers.AddRange(found.Where(file => file.Header.Store != own).Select(file => file.Path));
        foreach (var same in found.Where(file => file.Header.Store == own).GroupBy(file => file.Header.Number))
        {
            var best = same.OrderByDescending(file => file.Name == file.Header.Number).ThenByDescending(file => file.Bytes.Length).First();
            _strangers.AddRange(same.Where(file => file != best).Select(file => file.Path));
            _whole.AddRange(original.Live.Where(body => best.Bytes.AsSpan().IndexOf(original.RecordOf(body)) >= 0));
        }
    }

    /// <summary>The bodies of the messages whose records stand undamaged in a segment of the log.</summary>
    public IReadOnlyList<string> Whole => _whole;

    /// <summary>Files that do not belong to the log.</summary>
    public IReadOnlyList<string> Strangers => _strangers;

    public bool HasOnlyForeignSegments { get; }

    public static SegmentHeader? HeaderOf(string file)
    {
        var beginning = new byte[SegmentHeader.BothBytes];
        using var stream = File.OpenRead(file);
        var read = stream.ReadAtLeast(beginning, beginning.Length, throwOnEndOfStream: false);
        return SegmentHeader.TryFind(beginning.AsSpan(0, read), out var header) ? header : null;
    }
}
