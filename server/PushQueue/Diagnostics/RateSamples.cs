namespace PushQueue.Diagnostics;

/// <summary>The latest samples of one queue's counters; written by one sampler, read by anyone.</summary>
internal sealed class RateSamples
{
    /// <summary>Ten seconds at one sample a second.</summary>
    private const int SamplesMax = 11;

    private readonly Lock _lock = new();
    private readonly Queue<Sample> _samples = new(SamplesMax);
    private QueueRate _rate;
    private Sample _latest;

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

    /// <summary>Nothing happened in the whole window.</summary>
    public bool Idle
    {
        get
        {
            lock (_lock)
            {
                return _samples.Count == SamplesMax && _rate == default;
            }
        }
    }

    public void Add(long timestamp, long put, long delivered, TimeProvider time)
    {
        lock (_lock)
        {
            if (_samples.Count > 0 && (put < _latest.Put || delivered < _latest.Delivered))
            {
                // The queue was deleted and made again.
                _samples.Clear();
            }

            if (_samples.Count == SamplesMax)
            {
                _samples.Dequeue();
            }

            _latest = new Sample(timestamp, put, delivered);
            _samples.Enqueue(_latest);
            var oldest = _samples.Peek();
            var seconds = time.GetElapsedTime(oldest.Timestamp, timestamp).TotalSeconds;
            _rate = seconds > 0 ? new QueueRate((put - oldest.Put) / seconds, (delivered - oldest.Delivered) / seconds) : default;
        }
    }

    private readonly record struct Sample(long Timestamp, long Put, long Delivered);
}
