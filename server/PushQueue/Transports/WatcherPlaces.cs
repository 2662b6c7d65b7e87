using PushQueue.Diagnostics;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>Bounds how many watch this node at once: dashboards, tails, presence.</summary>
internal sealed class WatcherPlaces(DiagnosticsOptions options, LimitHits hits)
{
    private int _watchers;

    public int Count => Volatile.Read(ref _watchers);

    /// <summary>Takes a place until it is disposed; null and a problem where all are taken.</summary>
    public IDisposable? TryTake(out Problem? problem)
    {
        if (Interlocked.Increment(ref _watchers) > options.WatchersMax)
        {
            _ = Interlocked.Decrement(ref _watchers);
            hits.Count(LimitNames.Watchers);
            problem = new Problem(ProblemType.TooManyWaiting, $"This node already has {options.WatchersMax} watchers; try again later.");
            return null;
        }

        problem = null;
        return new Place(this);
    }

    private sealed class Place(WatcherPlaces places) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref places._watchers);
    }
}
