namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// One order for all: an offset belongs to one message and a message to one offset, each producer's messages in their order. A
/// consumer that resumes by cursor gets offsets that increase by one, over all its connections; a gap reports skipped offsets first.
/// </summary>
/// <param name="queue">Its name.</param>
/// <param name="keepsAll">Whether history covers the whole run, so that only consumers that chose to lose messages may get a gap.</param>
internal sealed class BroadcastJudge(string queue, bool keepsAll) : QueueJudge(queue)
{
    private readonly Dictionary<(string Epoch, long Offset), string> _byOffset = [];
    private readonly Dictionary<string, (string Epoch, long Offset)> _byKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BroadcastReader> _readers = new(StringComparer.Ordinal);
    private bool _wiped;

    protected override void OnSeen(int at, HistoryEvent happened)
    {
        switch (happened)
        {
            case Wiped:
                _wiped = true;
                break;
            case Connecting connecting:
                ReaderOf(connecting.Consumer).MayOverflow = connecting.MayOverflow;
                break;
            case GapTold gap:
                ReaderOf(gap.Consumer).OnGap(gap, _wiped);
                break;
            case Arrived arrived:
                OnBroadcast(arrived);
                break;
        }
    }

    protected override void OnEnd()
    {
        JudgeOrder();
        foreach (var reader in _readers.Values.Where(reader => Left is not null && !reader.HasReached(Left)))
        {
            Find(
                FindingKind.Stuck,
                $"{reader.Name} stands at {reader.Epoch}.{reader.Last} and the broadcast at {Left!.Epoch}.{Left.NextOffset - 1}");
        }

        // Offsets that nobody saw were told to all as gaps, else a hole was found: as many messages may be missing, and no more.
        var missing = NeverSeen().ToList();
        var unseen = Left is null ? 0 : Left.NextOffset - 1 - _byOffset.Keys.Count(place => place.Epoch == Left.Epoch);
        if (!_wiped && missing.Count > unseen)
        {
            Find(
                FindingKind.Lost,
                $"{missing.Count} never came and {unseen} offsets were seen by nobody: {string.Join(' ', missing.Take(20))}");
        }
    }

    private void OnBroadcast(Arrived arrived)
    {
        var place = (arrived.Epoch, arrived.Offset);
        if (!_byOffset.TryAdd(place, arrived.Key) && _byOffset[place] != arrived.Key)
        {
            Find(
                FindingKind.OffsetReused,
                $"{arrived.Epoch}.{arrived.Offset} is {_byOffset[place]} and, for {arrived.Consumer}, {arrived.Key}");
        }

        // A put that got no answer before all data was lost is put again, and has a place in the old epoch and one in the new.
        if (!_byKey.TryAdd(arrived.Key, place) && _byKey[arrived.Key] != place && !(_wiped && _byKey[arrived.Key].Epoch != arrived.Epoch))
        {
            Find(FindingKind.OffsetReused, $"{arrived.Key} is {_byKey[arrived.Key]} and, for {arrived.Consumer}, {place}");
        }

        ReaderOf(arrived.Consumer).OnMessage(arrived);
    }

    private void JudgeOrder()
    {
        foreach (var inEpoch in _byOffset.GroupBy(entry => entry.Key.Epoch))
        {
            var last = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var (place, key) in inEpoch.OrderBy(entry => entry.Key.Offset))
            {
                var (producer, number) = MessageKeys.PartsOf(key);
                if (last.TryGetValue(producer, out var before) && number < before)
                {
                    Find(FindingKind.Reordered, $"{key} has the offset {place.Offset}, behind {producer}-{before}");
                }

                last[producer] = number;
            }
        }
    }

    private BroadcastReader ReaderOf(string consumer)
    {
        if (!_readers.TryGetValue(consumer, out var reader))
        {
            _readers[consumer] = reader = new BroadcastReader(consumer, mayExpire: !keepsAll, Find);
        }

        return reader;
    }
}
