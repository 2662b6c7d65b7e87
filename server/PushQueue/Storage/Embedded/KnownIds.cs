using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// The ids that a queue's dedup window keeps known, whatever became of their messages. Each names the segment whose records prove it after
/// a restart, and keeps that segment alive. Guarded by its queue's lock.
/// </summary>
internal sealed class KnownIds(StoreServices services)
{
    /// <summary>The bytes that an id counts for in its segment: roughly its record.</summary>
    private const int LiveBytes = 64;

    private readonly Dictionary<string, Known> _ids = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, long> _ends = new();

    public int Count => _ids.Count;

    /// <summary>The time at which the next id is forgotten; <see cref="long.MaxValue"/> without one.</summary>
    public long NextEndMs => _ends.TryPeek(out _, out var endMs) ? endMs : long.MaxValue;

    public bool Contains(string id) => _ids.ContainsKey(id);

    public void Add(string id, long untilMs, Segment evidence)
    {
        if (_ids.TryGetValue(id, out var old))
        {
            services.ReleaseLive(old.Evidence, LiveBytes);
        }

        _ids[id] = new Known(untilMs, evidence);
        _ends.Enqueue(id, untilMs);
        evidence.AddLive(LiveBytes);
    }

    /// <summary>The evidence now stands in another segment.</summary>
    public void Relocate(string id, Segment evidence)
    {
        if (_ids.TryGetValue(id, out var known) && known.Evidence != evidence)
        {
            services.ReleaseLive(known.Evidence, LiveBytes);
            evidence.AddLive(LiveBytes);
            _ids[id] = known with { Evidence = evidence };
        }
    }

    public void DropUntil(long now)
    {
        while (_ends.TryPeek(out var id, out var endMs) && endMs <= now)
        {
            _ends.Dequeue();
            if (_ids.TryGetValue(id, out var known) && known.UntilMs <= now)
            {
                _ids.Remove(id);
                services.ReleaseLive(known.Evidence, LiveBytes);
            }
        }
    }

    public void Clear()
    {
        foreach (var known in _ids.Values)
        {
            services.ReleaseLive(known.Evidence, LiveBytes);
        }

        _ids.Clear();
        _ids.TrimExcess();
        _ends.Clear();
        _ends.TrimExcess();
    }

    /// <summary>The ids whose evidence stands in that segment.</summary>
    public IReadOnlyList<(string Id, long UntilMs)> ProvedBy(Segment segment)
    {
        var found = new List<(string, long)>();
        foreach (var (id, known) in _ids)
        {
            if (known.Evidence == segment)
            {
                found.Add((id, known.UntilMs));
            }
        }

        return found;
    }

    public IEnumerable<Segment> Evidence()
    {
        foreach (var known in _ids.Values)
        {
            yield return known.Evidence;
        }
    }

    private readonly record struct Known(long UntilMs, Segment Evidence);
}
