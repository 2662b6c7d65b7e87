namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// Gone once written: everything comes, and comes twice only where a server had written it and could not note that down, because it died or
/// what it writes to was away.
/// </summary>
internal sealed class PushedJudge(string queue) : QueueJudge(queue)
{
    private readonly Dictionary<string, Arrived> _last = new(StringComparer.Ordinal);

    protected override void OnSeen(int at, HistoryEvent happened)
    {
        if (happened is not Arrived arrived)
        {
            return;
        }

        // Either of the two may be the one that was written first: what a connection holds when its server dies is read to its end. What a server
        // had leased when the outage began it may write when that is over, and know only then that another server was given it.
        if (_last.TryGetValue(arrived.Key, out var before)
            && !DiedSince(before.Connection, at) && !DiedSince(arrived.Connection, at) && !OutageSincePut(arrived.Key, at))
        {
            Find(FindingKind.Duplicated, $"{arrived.Key} came to {before.Consumer} and to {arrived.Consumer}, and no server died between");
        }

        _last[arrived.Key] = arrived;
    }

    protected override void OnEnd()
    {
        foreach (var key in NeverSeen())
        {
            Find(FindingKind.Lost, $"{key} never came");
        }
    }
}
