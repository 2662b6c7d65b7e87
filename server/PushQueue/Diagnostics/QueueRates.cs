using System.Collections.Concurrent;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>
/// Puts and deliveries per second of the busy queues, sliding over ten seconds. It samples the store's own counters once a second, so it
/// sees every transport alike and costs the hot paths one dictionary look per put; only queues with news or a backlog are sampled.
/// </summary>
internal sealed class QueueRates(IMessageStore store, TimeProvider time) : IQueueChangeListener
{
    /// <summary>Queues beyond this many have no rates until others fall idle.</summary>
    private const int QueuesMax = 1000;

    private readonly ConcurrentDictionary<QueueName, RateSamples> _busy = [];

    /// <summary>Zero for an idle queue.</summary>
    public QueueRate Of(QueueName queue) => _busy.TryGetValue(queue, out var samples) ? samples.Rate : default;

    public async Task SampleAsync()
    {
        foreach (var (queue, samples) in _busy)
        {
            var info = await store.GetQueueAsync(queue);
            if (info is null)
            {
                _busy.TryRemove(queue, out _);
                continue;
            }

            samples.Add(time.GetTimestamp(), info.Counters.Put, info.Counters.Delivered, time);
            if (info.Waiting == 0 && samples.Idle)
            {
                _busy.TryRemove(queue, out _);
            }
        }
    }

    public void OnReady(QueueName queue)
    {
        if (!_busy.ContainsKey(queue) && _busy.Count < QueuesMax)
        {
            _busy.TryAdd(queue, new RateSamples());
        }
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
    }

    public void OnDeleted(QueueName queue) => _busy.TryRemove(queue, out _);

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
    }

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
    }
}

/// <summary>Messages per second.</summary>
internal readonly record struct QueueRate(double Put, double Delivered);
