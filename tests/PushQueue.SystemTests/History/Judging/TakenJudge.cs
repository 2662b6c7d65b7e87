namespace PushQueue.SystemTests.History.Judging;

/// <summary>
/// At most once, whatever crashes; one who takes sees each producer's messages in their order; no more are missing than unanswered takes
/// can have taken.
/// </summary>
internal sealed class TakenJudge(string queue) : QueueJudge(queue)
{
    private readonly Dictionary<string, string> _takenBy = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Consumer, string Producer), int> _last = [];
    private long _unanswered;

    protected override void OnSeen(int at, HistoryEvent happened)
    {
        switch (happened)
        {
            case TakeUnanswered take:
                _unanswered += take.Count;
                break;
            case Arrived arrived:
                OnTaken(arrived);
                break;
        }
    }

    protected override void OnEnd()
    {
        var missing = NeverSeen().ToList();
        if (missing.Count > _unanswered)
        {
            Find(
                FindingKind.Lost,
                $"{missing.Count} never came and {_unanswered} takes got no answer: {string.Join(' ', missing.Take(20))}");
        }
    }

    private void OnTaken(Arrived arrived)
    {
        if (!_takenBy.TryAdd(arrived.Key, arrived.Consumer))
        {
            Find(FindingKind.Duplicated, $"{arrived.Key} was taken by {_takenBy[arrived.Key]} and by {arrived.Consumer}");
            return;
        }

        var (producer, number) = MessageKeys.PartsOf(arrived.Key);
        if (_last.TryGetValue((arrived.Consumer, producer), out var before) && number < before)
        {
            Find(FindingKind.Reordered, $"{arrived.Consumer} took {arrived.Key} after {producer}-{before}");
        }

        _last[(arrived.Consumer, producer)] = number;
    }
}
