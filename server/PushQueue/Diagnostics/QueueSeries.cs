using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>
/// Which queues have metrics of their own, and the figures of all. A queue that has a series keeps it until it is deleted; the others are
/// summed up. The sum's counters only grow, although queues come and go: it adds up what each queue did since it was last read.
/// </summary>
internal sealed class QueueSeries(IMessageStore store, DiagnosticsOptions options) : IDisposable
{
    /// <summary>The label of the sum; no queue's name can hold a slash.</summary>
    public const string Rest = "/other";

    private const int PageSize = 1000;

    private readonly SemaphoreSlim _reading = new(1);
    private readonly HashSet<QueueName> _named = [];
    private Dictionary<QueueName, QueueCounters> _restCounters = [];
    private QueueCounters _restTotals = new();
    private IReadOnlyList<SeriesPoint> _points = [];
    private StoreUsage? _usage;
    private long _queues;

    /// <summary>As of the last refresh.</summary>
    public IReadOnlyList<SeriesPoint> Points => Volatile.Read(ref _points);

    /// <summary>How many queues there were at the last refresh.</summary>
    public long Queues => Volatile.Read(ref _queues);

    /// <summary>The size of the store at the last refresh; null where it cannot tell.</summary>
    public StoreUsage? Usage => Volatile.Read(ref _usage);

    /// <summary>Reads all queues from the store.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            var queues = new List<QueueInfo>();
            string? after = null;
            do
            {
                var page = await store.ListQueuesAsync(after, PageSize);
                queues.AddRange(page.Queues);
                after = page.Next;
            }
            while (after is not null);

            Volatile.Write(ref _points, Sort(queues));
            Volatile.Write(ref _queues, queues.Count);
            Volatile.Write(ref _usage, await store.MeasureAsync());
        }
        finally
        {
            _ = _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private List<SeriesPoint> Sort(List<QueueInfo> queues)
    {
        _named.IntersectWith(queues.Select(static queue => queue.Name));
        var now = store.Now;
        var points = new List<SeriesPoint>();
        var rest = new SeriesPoint(Rest);
        var restCounters = new Dictionary<QueueName, QueueCounters>();
        foreach (var queue in queues)
        {
            if (_named.Contains(queue.Name) || (_named.Count < options.QueueSeriesMax && _named.Add(queue.Name)))
            {
                points.Add(new SeriesPoint(queue.Name.Value) { Counters = queue.Counters }.With(queue, now));
                continue;
            }

            rest = rest.With(queue, now);
            _restTotals = _restTotals.Plus(queue.Counters.Since(_restCounters.GetValueOrDefault(queue.Name)));
            restCounters.Add(queue.Name, queue.Counters);
        }

        _restCounters = restCounters;
        points.Add(rest with { Counters = _restTotals });
        return points;
    }
}
