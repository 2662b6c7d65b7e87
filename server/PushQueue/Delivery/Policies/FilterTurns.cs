using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// The different filters of a queue's consumers, whose messages are searched one filter after the other. Only the dispatcher's own loop
/// calls it, and only where a consumer has a filter does it hold anything.
/// </summary>
internal sealed class FilterTurns(QueueDispatcher dispatcher)
{
    /// <summary>
    /// A search in vain is followed by a rest nine times as long: a long backlog that no consumer wants must not slow the queue.
    /// </summary>
    private const int RestPerSearch = 9;

    /// <summary>A store that nodes share notifies for 90 seconds after a search that found too few (Scripts/Part.Filter.lua).</summary>
    private static readonly TimeSpan RenewAfter = TimeSpan.FromSeconds(30);

    /// <summary>
    /// So many searches in vain in a row go without a rest: while others take messages, a rest costs a consumer its turns.
    /// </summary>
    private const int VainMax = 8;

    /// <summary>One search that was slow for another reason (a busy machine, a slow store) must not silence a consumer for long.</summary>
    private static readonly TimeSpan RestMax = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RestMin = TimeSpan.FromMilliseconds(2);

    private readonly List<MessageFilter?> _filters = [];
    private TimeSpan _rest;
    private int _vain;
    private long _restsSince;
    private long _renewsSince;

    /// <summary>How many different filters there are; consumers of all messages count as one.</summary>
    public int Count => _filters.Count;

    /// <summary>Whether a consumer has a filter.</summary>
    public bool Begin(Consumer[] live)
    {
        // hot path: each round of a queue without filters.
        if (!Array.Exists(live, static consumer => consumer.Options.Filter is not null))
        {
            return false;
        }

        _filters.Clear();
        foreach (var consumer in live)
        {
            if (!_filters.Contains(consumer.Options.Filter))
            {
                _filters.Add(consumer.Options.Filter);
            }
        }

        return true;
    }

    /// <summary>The filters in the order of the rotation, without those whose searches rest.</summary>
    public List<MessageFilter?> InTurn(Consumer[] live, int first)
    {
        var rests = _rest > TimeSpan.Zero && dispatcher.Time.GetElapsedTime(_restsSince) < _rest;
        var turns = new List<MessageFilter?>(_filters.Count);
        for (var i = 0; i < live.Length && turns.Count < _filters.Count; i++)
        {
            var filter = live[(first + i) % live.Length].Options.Filter;
            if (!turns.Contains(filter) && !(rests && filter is not null))
            {
                turns.Add(filter);
            }
        }

        return turns;
    }

    /// <summary>A search is over.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="found">Whether it found a message.</param>
    /// <param name="began">The timestamp of its beginning.</param>
    public void Searched(MessageFilter? filter, bool found, long began)
    {
        if (filter is null || found)
        {
            _vain = filter is null ? _vain : 0;
            return;
        }

        if (_renewsSince == 0 || dispatcher.Time.GetElapsedTime(_renewsSince) >= RenewAfter)
        {
            _renewsSince = dispatcher.Time.GetTimestamp();
            dispatcher.SignalIn(RenewAfter);
        }

        var rest = dispatcher.Time.GetElapsedTime(began) * RestPerSearch;
        if (++_vain > VainMax && rest >= RestMin)
        {
            (_rest, _restsSince) = (rest < RestMax ? rest : RestMax, dispatcher.Time.GetTimestamp());
            dispatcher.SignalIn(_rest);
        }
    }
}
