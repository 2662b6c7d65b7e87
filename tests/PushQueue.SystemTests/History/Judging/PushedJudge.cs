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

        // Either of the two may have been written first: the bytes in a connection are read to the end after its server has died. After an
        // outage a server may write messages that it had leased before, and learn only then that another server leased them.
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
