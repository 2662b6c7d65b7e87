using Microsoft.Extensions.Logging;

namespace PushQueue.Queues;

/// <summary>
/// Forwards the store's notifications to every listener, in the order of registration. A listener that fails does not keep one from the
/// others.
/// </summary>
internal sealed class QueueChangeFanout(
    IEnumerable<IQueueChangeListener> listeners, ILogger<QueueChangeFanout> logger, MessageMeter meter) : IQueueChangeListener
{
    private readonly IQueueChangeListener[] _listeners = [.. listeners];
    private readonly FaultBorder _faults = new("listener", logger, meter);

    public void OnReady(QueueName queue) => Tell(queue, 0, static (listener, queue, _) => listener.OnReady(queue));

    public void OnFeeding(QueueName queue) => Tell(queue, 0, static (listener, queue, _) => listener.OnFeeding(queue));

    public void OnMade(QueueName queue) => Tell(queue, 0, static (listener, queue, _) => listener.OnMade(queue));

    public void OnSettingsChanged(QueueName queue, QueueSettings settings) =>
        Tell(queue, settings, static (listener, queue, settings) => listener.OnSettingsChanged(queue, settings));

    public void OnDeleted(QueueName queue) => Tell(queue, 0, static (listener, queue, _) => listener.OnDeleted(queue));

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt) =>
        Tell(queue, (id, receipt), static (listener, queue, lease) => listener.OnLeasedCancelled(queue, lease.id, lease.receipt));

    public void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt) =>
        Tell(queue, (id, receipt), static (listener, queue, lease) => listener.OnLeaseEnded(queue, lease.id, lease.receipt));

    public void OnWorkerFailed(QueueName queue, string worker) =>
        Tell(queue, worker, static (listener, queue, worker) => listener.OnWorkerFailed(queue, worker));

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome) =>
        Tell(queue, (id, outcome), static (listener, queue, end) => listener.OnFinished(queue, end.id, end.outcome));

    public void OnBroadcast(QueueName queue, long nextOffset) =>
        Tell(queue, nextOffset, static (listener, queue, nextOffset) => listener.OnBroadcast(queue, nextOffset));

    public bool Uses(QueueName queue)
    {
        foreach (var listener in _listeners)
        {
            try
            {
                if (listener.Uses(queue))
                {
                    return true;
                }
            }
            catch (Exception e)
            {
                _faults.Report(queue, e);
                return true;
            }
        }

        return false;
    }

    public bool? Pushes(QueueName queue)
    {
        bool? pushes = null;
        foreach (var listener in _listeners)
        {
            try
            {
                if (listener.Pushes(queue) is { } answer)
                {
                    pushes = answer && pushes is not false;
                }
            }
            catch (Exception e)
            {
                _faults.Report(queue, e);
                return false;
            }
        }

        return pushes;
    }

    public void OnResumed()
    {
        foreach (var listener in _listeners)
        {
            try
            {
                listener.OnResumed();
            }
            catch (Exception e)
            {
                _faults.Report(e);
            }
        }
    }

    // hot path: a put comes through here; the calls are static and their state is a value, so nothing is allocated.
    private void Tell<T>(QueueName queue, T state, Action<IQueueChangeListener, QueueName, T> call)
    {
        foreach (var listener in _listeners)
        {
            try
            {
                call(listener, queue, state);
            }
            catch (Exception e)
            {
                _faults.Report(queue, e);
            }
        }
    }
}
