using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Compares the segments that are there with what the log says about them: the header of the next segment, the end record of the one
/// before, the latest snapshot and the mark of an orderly stop.
/// </summary>
internal sealed class SegmentLinks(string directory, SegmentFolder folder, SegmentExtent? stoppedAt)
{
    private readonly Dictionary<int, uint?> _dropped = [];
    private readonly Dictionary<int, SegmentExtent> _listed = [];
    private readonly Dictionary<int, SegmentExtent> _missingBefore = [];
    private bool _hasSnapshot;
    private SegmentExtent _next;

    /// <summary>Where the latest snapshot starts: older segments that it does not list were dropped.</summary>
    public int SnapshotStartedIn { get; private set; }

    /// <summary>The former contents of the segment, as the next segment or the stop mark says; null where neither does.</summary>
    public SegmentExtent? ExpectedOf(int index)
    {
        var segment = folder.Files[index].Segment;
        var expected = index + 1 < folder.Files.Count ? folder.Files[index + 1].Header.Previous : stoppedAt;
        return expected is { } extent && extent.Number == segment.Number && extent.Salt == segment.Salt ? expected : null;
    }

    /// <summary>The end record of the segment that is read names the next one.</summary>
    public void ReadNext(ref SpanReader reader) => _next = new SegmentExtent((int)reader.Number(), reader.UInt32(), Length: 0, Messages: 0);

    /// <summary>Reading of another segment begins.</summary>
    public void ForgetNext() => _next = default;

    public void ReadDropped(ref SpanReader reader)
    {
        var number = (int)reader.Number();
        _dropped[number] = reader.Remaining > 0 ? (uint)reader.Number() : null;
    }

    /// <summary>Whether the log says that it dropped this segment for good.</summary>
    public bool IsDropped(Segment segment) => _dropped.TryGetValue(segment.Number, out var salt) && (salt ?? segment.Salt) == segment.Salt;

    public void ReadSnapshot(ref SpanReader reader, int startedIn)
    {
        SnapshotStartedIn = startedIn;
        _hasSnapshot = true;
        _listed.Clear();
        _missingBefore.Clear();
        var numbers = new int[reader.Count()];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = (int)reader.Number();
            _listed[numbers[i]] = new SegmentExtent(numbers[i], Salt: 0, Length: 0, Messages: 0);
        }

        if (reader.Remaining == 0)
        {
            return;
        }

        foreach (var number in numbers)
        {
            _listed[number] = SegmentExtent.Read(ref reader);
        }

        for (var count = reader.Count(); count > 0; count--)
        {
            var missing = SegmentExtent.Read(ref reader);
            _missingBefore[missing.Number] = missing;
        }
    }

    /// <summary>Whether an earlier start found this segment missing.</summary>
    public bool CameBack(Segment segment) => _missingBefore.TryGetValue(segment.Number, out var missing) && missing.Salt == segment.Salt;

    /// <summary>Whether the log went on without this segment: it is an old copy.</summary>
    public bool IsSuperseded(Segment segment)
    {
        if (!_hasSnapshot || segment.Number >= SnapshotStartedIn || CameBack(segment))
        {
            return false;
        }

        return !_listed.TryGetValue(segment.Number, out var listed) || (listed.Salt != 0 && listed.Salt != segment.Salt);
    }

    /// <summary>The entry of the latest snapshot about a segment; null if it has no entry.</summary>
    public SegmentExtent? ListedOf(Segment segment) =>
        _listed.TryGetValue(segment.Number, out var listed) && listed.Salt == segment.Salt ? listed : null;

    /// <summary>Whether a segment with this number was on disk before the stop.</summary>
    public bool IsNamed(int number) =>
        number == _next.Number
        || number == stoppedAt?.Number
        || _listed.ContainsKey(number)
        || folder.Files.Any(file => file.Header.Previous.Number == number);

    /// <summary>The segments that should be there and are not, each run of numbers once.</summary>
    public IReadOnlyList<MissingSegments> FindMissing(bool folderWasInUse)
    {
        var there = folder.Files.Select(static file => file.Segment).Concat(folder.Unreadable.Where(static segment => segment.Length > 0))
            .Select(static segment => segment.Number).ToHashSet();
        var runs = new List<MissingSegments>();
        foreach (var listed in _listed.Values)
        {
            Add(new MissingSegments(listed.Number, listed));
        }

        AddBetween(Add);
        var last = folder.Files.Count > 0 ? folder.Files[^1].Segment.Number : 0;
        if (_next.Number > last)
        {
            Add(new MissingSegments(_next.Number, _next));
        }

        if (stoppedAt is { } end && end.Number > last)
        {
            Add(new MissingSegments(Math.Min(end.Number, Math.Max(_next.Number, last) + 1), end));
        }

        if (there.Count == 0 && runs.Count == 0 && folderWasInUse)
        {
            Add(new MissingSegments(1, new SegmentExtent(1, Salt: 0, Length: 0, Messages: 0)));
        }

        return runs;

        void Add(MissingSegments run)
        {
            var first = run.First;
            while (first <= run.Last.Number
                && (there.Contains(first) || _dropped.ContainsKey(first) || runs.Exists(other => other.Has(first))))
            {
                first++;
            }

            if (first <= run.Last.Number)
            {
                runs.Add(run with { First = first });
            }
        }
    }

    /// <summary>Each segment names the one before it; old ones follow without a hole.</summary>
    private void AddBetween(Action<MissingSegments> add)
    {
        var before = 0;
        foreach (var (segment, header) in folder.Files)
        {
            var previous = header.Version >= SegmentHeader.FirstChainedVersion
                ? header.Previous
                : new SegmentExtent(segment.Number - 1, Salt: 0, Length: 0, Messages: 0);
            if (segment.Number > SnapshotStartedIn && previous.Number > before && (previous.Length > 0 || previous.Salt == 0))
            {
                add(new MissingSegments(before == 0 ? previous.Number : before + 1, previous));
            }

            before = segment.Number;
        }
    }

    /// <summary>The path that a segment has, or had.</summary>
    public string PathOf(int number) => Path.Combine(directory, Segment.FileName(number));
}

/// <summary>A run of segments that are missing.</summary>
/// <param name="First">The first one's number.</param>
/// <param name="Last">The last one, as the log remembers it.</param>
internal sealed record MissingSegments(int First, SegmentExtent Last)
{
    public int Count => Last.Number - First + 1;

    public bool Has(int number) => number >= First && number <= Last.Number;
}
