using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>The latest samples of one queue's counters; written by one sampler, read by anyone.</summary>
internal sealed class RateSamples
{
    /// <summary>Three minutes at one sample a second.</summary>
    public const int PointsMax = 180;

    /// <summary>Rates slide over ten seconds.</summary>
    private const int WindowSamples = 11;

    private readonly Lock _lock = new();
    private readonly Queue<Sample> _window = new(WindowSamples);
    private readonly Queue<QueuePoint> _points = new();
    private QueueRate _rate;
    private Sample _latest;
    private int _quiet;
    private long _latestWaiting;
    private volatile bool _newsCame;
    private int _secondsSinceLook;

    public QueueRate Rate
    {
        get
        {
            lock (_lock)
            {
                return _rate;
            }
        }
    }

    /// <summary>For how many samples nothing has happened.</summary>
    public int Quiet
    {
        get
        {
            lock (_lock)
            {
                return _quiet;
            }
        }
    }

    /// <summary>Something has happened since the latest look or not long before it.</summary>
    public bool HasNews => _newsCame || Quiet < WindowSamples;

    public void OnNews()
    {
        // Read first: most often it is set, and the line stays shared between the cores.
        if (!_newsCame)
        {
            _newsCame = true;
        }
    }

    /// <summary>Before the store is asked: what comes while it answers is news for the next look.</summary>
    public void BeginLook()
    {
        _newsCame = false;
        _secondsSinceLook = 0;
    }

    /// <summary>The sampler's alone.</summary>
    public int SecondsSinceLook => _secondsSinceLook;

    /// <summary>The latest points, at most that many, the oldest first.</summary>
    public QueuePoint[] Points(int count)
    {
        lock (_lock)
        {
            return [.. _points.Skip(_points.Count - count)];
        }
    }

    /// <summary>For a second in which nobody looked, because nothing had happened for long.</summary>
    public void AddQuiet(long timestamp)
    {
        _secondsSinceLook++;
        lock (_lock)
        {
            AddPointLocked(new QueuePoint(0, 0, 0, _latestWaiting));
            AddSampleLocked(_latest with { Timestamp = timestamp });
        }
    }

    public void Add(long timestamp, QueueInfo info, TimeProvider time)
    {
        var counters = info.Counters;
        lock (_lock)
        {
            if (_window.Count > 0
                && (counters.Put < _latest.Put || counters.Delivered < _latest.Delivered || counters.Acked < _latest.Acked))
            {
                // The queue was deleted and made again.
                _window.Clear();
                _points.Clear();
            }

            var before = _latest;
            _latest = new Sample(timestamp, counters.Put, counters.Delivered, counters.Acked);
            if (_window.Count > 0)
            {
                AddPointLocked(new QueuePoint(
                    (int)(_latest.Put - before.Put), (int)(_latest.Delivered - before.Delivered), (int)(_latest.Acked - before.Acked),
                        info.Waiting));
            }

            _latestWaiting = info.Waiting;
            AddSampleLocked(_latest);
            var oldest = _window.Peek();
            var seconds = time.GetElapsedTime(oldest.Timestamp, timestamp).TotalSeconds;
            _rate = seconds > 0
                ? new QueueRate((_latest.Put - oldest.Put) / seconds, (_latest.Delivered - oldest.Delivered) / seconds)
                : default;
        }
    }

    private void AddSampleLocked(Sample sample)
    {
        if (_window.Count == WindowSamples)
        {
            _window.Dequeue();
        }

        _window.Enqueue(sample);
    }

    private void AddPointLocked(QueuePoint point)
    {
        if (_points.Count == PointsMax)
        {
            _points.Dequeue();
        }

        _points.Enqueue(point);
        _quiet = point is { Put: 0, Delivered: 0, Acked: 0 } ? _quiet + 1 : 0;
    }

    private readonly record struct Sample(long Timestamp, long Put, long Delivered, long Acked);
}
