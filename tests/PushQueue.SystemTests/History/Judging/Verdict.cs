namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// Holds a history against what was promised. A pure function: the same events give the same findings, wherever they come from.
/// </summary>
internal static class Verdict
{
    /// <summary>Everything that the history shows to be wrong; empty where all promises were kept.</summary>
    /// <param name="history">All events, in the order in which they were seen.</param>
    /// <param name="promises">The promise of each queue; events of other queues are unexplained.</param>
    /// <param name="copies">
    /// The queue subscriptions. The promise of a subscriber holds for its copies as if they had been put into it.
    /// </param>
    public static IReadOnlyList<Finding> Judge(
        IReadOnlyList<HistoryEvent> history, IReadOnlyDictionary<string, Promise> promises, params IEnumerable<CopyRule> copies)
    {
        var books = copies.Select(rule => new CopyBook(rule)).ToList();
        var judges = promises.ToDictionary(
            promise => promise.Key,
            promise => (QueueJudge)(promise.Value switch
            {
                Promise.Acked => new AckedJudge(promise.Key, isOrdered: false),
                Promise.Ordered => new AckedJudge(promise.Key, isOrdered: true),
                Promise.Pushed => new PushedJudge(promise.Key),
                Promise.Taken => new TakenJudge(promise.Key),
                Promise.Kept => new BroadcastJudge(promise.Key, keepsAll: true),
                _ => new BroadcastJudge(promise.Key, keepsAll: false),
            }),
            StringComparer.Ordinal);
        var unexplained = new List<Finding>();
        for (var at = 0; at < history.Count; at++)
        {
            if (QueueOf(history[at]) is not { } queue)
            {
                foreach (var judge in judges.Values)
                {
                    judge.See(at, history[at]);
                }
            }
            else if (judges.TryGetValue(queue, out var judge))
            {
                judge.See(at, history[at]);
            }
            else
            {
                unexplained.Add(new Finding(FindingKind.Unexplained, queue, $"nobody promised anything about this queue: {history[at]}"));
            }

            foreach (var book in books)
            {
                foreach (var copied in book.See(history[at]))
                {
                    judges[book.Subscriber].See(at, copied);
                }
            }
        }

        return [.. unexplained, .. judges.Values.SelectMany(judge => judge.Findings())];
    }

    /// <summary>The queue that an event concerns; null for what happens to a server.</summary>
    private static string? QueueOf(HistoryEvent happened) => happened switch
    {
        PutTried put => put.Queue,
        PutStored put => put.Queue,
        Connecting connecting => connecting.Queue,
        PlaceTold place => place.Queue,
        Arrived arrived => arrived.Queue,
        GapTold gap => gap.Queue,
        AckSent ack => ack.Queue,
        AckConfirmed ack => ack.Queue,
        ReleaseSent release => release.Queue,
        TakeUnanswered take => take.Queue,
        FoundDead dead => dead.Queue,
        FoundLeft left => left.Queue,
        SubscriptionSent change => change.Queue,
        SubscriptionConfirmed change => change.Queue,
        _ => null,
    };
}
