using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>
/// Puts and deliveries per second of the busy queues, sliding over ten seconds, and what each of the last seconds brought. It samples the
/// store's own counters once a second, so it sees every transport alike and costs the hot paths one dictionary look per put. Only queues
/// with news or a backlog are sampled, and of those that have been quiet some each second, in turn: a look may cost a round trip.
/// </summary>
internal sealed class QueueRates(
    IQueueCatalog store, TimeProvider time, ILogger<QueueRates> logger, MessageMeter meter) : IQueueChangeListener
{
    private readonly FaultBorder _faults = new("rates", logger, meter);

    /// <summary>Queues beyond this many have no rates until others fall idle.</summary>
    private const int QueuesMax = 1000;

    /// <summary>
    /// A queue without news is sampled for another minute, so that what it did can still be seen; less where places are scarce.
    /// </summary>
    private const int QuietSamplesMax = 60;

    private const int QuietSamplesMaxWhenCrowded = 11;

    /// <summary>Looks a second at quiet queues, as long as each of them is looked at every so many seconds at least.</summary>
    private const int QuietLooksMax = QueuesMax / QuietLookSeconds;

    private const int QuietLookSeconds = 10;

    private readonly ConcurrentDictionary<QueueName, RateSamples> _busy = [];
    private int _quiet;
    private long _tick;

    /// <summary>The number of the latest sample of all queues.</summary>
    public long Tick => Volatile.Read(ref _tick);

    /// <summary>Zero for an idle queue.</summary>
    public QueueRate Of(QueueName queue) => _busy.TryGetValue(queue, out var samples) ? samples.Rate : default;

    /// <summary>The traffic of the latest seconds, at most that many, the oldest first; empty for an idle queue.</summary>
    public QueuePoint[] PointsOf(QueueName queue, int count) => _busy.TryGetValue(queue, out var samples) ? samples.Points(count) : [];

    public async Task SampleAsync()
    {
        // A backlog keeps its place, because what is taken from it brings no news; where places are scarce it must make room for the busy.
        var isCrowded = _busy.Count > QueuesMax * 3 / 4;
        var quietMax = isCrowded ? QuietSamplesMaxWhenCrowded : QuietSamplesMax;
        var turns = 1 + (_quiet / QuietLooksMax);
        var quiet = 0;
        foreach (var (queue, samples) in _busy)
        {
            if (!samples.HasNews)
            {
                quiet++;
                if (quiet % turns != _tick % turns && samples.SecondsSinceLook < QuietLookSeconds - 1)
                {
                    samples.AddQuiet(time.GetTimestamp());
                    continue;
                }
            }

            if (!await _faults.TryAsync(queue, samples, samples => LookAsync(queue, samples, isCrowded, quietMax)))
            {
                // Out of the sample until the queue has news again.
                _busy.TryRemove(queue, out _);
            }
        }

        _quiet = quiet;
        _ = Interlocked.Increment(ref _tick);
    }

    private async Task LookAsync(QueueName queue, RateSamples samples, bool isCrowded, int quietMax)
    {
        samples.BeginLook();
        var info = await store.GetQueueAsync(queue);
        if (info is null)
        {
            _busy.TryRemove(queue, out _);
            return;
        }

        samples.Add(time.GetTimestamp(), info, time);
        if ((info.Waiting == 0 || isCrowded) && samples.Quiet >= quietMax)
        {
            _busy.TryRemove(queue, out _);
        }
    }

    public void OnReady(QueueName queue)
    {
        if (_busy.TryGetValue(queue, out var samples))
        {
            samples.OnNews();
        }
        else if (_busy.Count < QueuesMax)
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
