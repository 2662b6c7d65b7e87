using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace PushQueue.Storage.Log;

/// <summary>
/// One file of the log. Knows how many of its bytes still matter, which older segments its records refer to, and who is reading it.
/// Owned by <see cref="MessageLog"/>; written by the log's thread alone; read by anyone who holds a pin.
/// </summary>
internal sealed class Segment(int number, string path)
{
    public const string FilePrefix = "segment-";

    private const string FileSuffix = ".log";

    private readonly Lock _gate = new();
    private readonly HashSet<int> _references = [];
    private SafeFileHandle? _file;
    private int _lastReference;
    private int _pins;
    private long _liveBytes;
    private bool _dropped;

    public int Number { get; } = number;

    public string Path { get; } = path;

    /// <summary>The salt of marks and checksums; the segment's header has it.</summary>
    public uint Salt { get; set; }

    /// <summary>Bytes of records in the file. Grows only while it is the last segment.</summary>
    public long Length { get; set; }

    /// <summary>How many message records it holds.</summary>
    public long Messages { get; set; }

    /// <summary>Where the record stands that says that the next segment has begun; null before that.</summary>
    public long? EndRecordAt { get; set; }

    /// <summary>The extent of the segment as it is now.</summary>
    public SegmentExtent Extent => new(Number, Salt, EndRecordAt ?? Length, Messages);

    /// <summary>Bytes in the file with the <see cref="RoomAhead"/>; known only of a segment that this process began.</summary>
    public long FileLength { get; set; }

    /// <summary>The disk had no room to prepare.</summary>
    public bool HasNoRoomAhead { get; set; }

    /// <summary>True once no further record will be written to it.</summary>
    public bool Sealed { get; set; }

    /// <summary>Bytes of the records whose message (or known id) still exists.</summary>
    public long LiveBytes => Interlocked.Read(ref _liveBytes);

    public static string FileName(int number) => $"{FilePrefix}{number:D10}{FileSuffix}";

    /// <summary>Reads the number in a file's name; false for any name that <see cref="FileName"/> does not give.</summary>
    public static bool TryReadNumber(ReadOnlySpan<char> fileName, out int number)
    {
        number = 0;
        return fileName.StartsWith(FilePrefix)
            && fileName.EndsWith(FileSuffix)
            && fileName.Length == FilePrefix.Length + 10 + FileSuffix.Length
            && int.TryParse(fileName.Slice(FilePrefix.Length, 10), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number > 0;
    }

    /// <summary>Returns what is live afterwards.</summary>
    public long AddLive(long bytes) => Interlocked.Add(ref _liveBytes, bytes);

    /// <exception cref="IOException">The file cannot be made.</exception>
    public void CreateFile()
    {
        _file = File.OpenHandle(Path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
    }

    /// <exception cref="IOException">The file cannot be opened.</exception>
    public void OpenFile(FileAccess access)
    {
        _file = File.OpenHandle(Path, FileMode.Open, access, FileShare.ReadWrite);
        Length = RandomAccess.GetLength(_file);
    }

    public bool HasFile => _file is not null;

    /// <summary>The file, for the log's own thread and for holders of a pin.</summary>
    public SafeFileHandle Handle => _file ?? throw new InvalidOperationException($"Segment {Number} has no file yet.");

    /// <summary>
    /// Notes that a record in this segment changes what a record in an older one said. This segment must stay until the older is gone,
    /// or a restart would see the old state again. Called under the log's lock.
    /// </summary>
    public void AddReference(Segment older)
    {
        if (older.Number == Number || older.Number == _lastReference)
        {
            return;
        }

        lock (_gate)
        {
            _references.Add(older.Number);
            _lastReference = older.Number;
        }
    }

    /// <summary>Records that were meant for another segment come here instead.</summary>
    public void InheritReferences(Segment other)
    {
        lock (_gate)
        {
            _references.UnionWith(other._references);
            _references.Add(other.Number);
        }
    }

    public bool RefersToAny(IReadOnlySet<int> existing)
    {
        lock (_gate)
        {
            _references.IntersectWith(existing);
            _lastReference = 0;
            return _references.Count > 0;
        }
    }

    /// <summary>Keeps the file open until <see cref="Unpin"/>, even when the segment is dropped meanwhile.</summary>
    public void Pin()
    {
        lock (_gate)
        {
            _pins++;
        }
    }

    public void Unpin()
    {
        lock (_gate)
        {
            _pins--;
            CloseIfUnusedLocked();
        }
    }

    /// <summary>The file's name is gone; its handle closes when the last reader is done.</summary>
    public void Drop()
    {
        lock (_gate)
        {
            _dropped = true;
            CloseIfUnusedLocked();
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _file?.Dispose();
        }
    }

    private void CloseIfUnusedLocked()
    {
        if (_dropped && _pins == 0)
        {
            _file?.Dispose();
        }
    }
}
