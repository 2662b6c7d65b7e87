using System.Diagnostics.Metrics;

namespace PushQueue.Diagnostics;

/// <summary>The values of one instrument by their labels, kept for the next scrape.</summary>
internal sealed class MetricValues(Instrument instrument)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, double> _labelled = new(StringComparer.Ordinal);
    private long _plain;
    private bool _hasPlain = instrument is Counter<long>;

    public Instrument Instrument => instrument;

    public MetricBuckets? Buckets { get; } = MetricBuckets.Of(instrument);

    /// <summary>Adds to a counter, or records what was observed.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        // hot path: a count of a put, guarded by the load bench.
        if (labels.IsEmpty && instrument is Counter<long>)
        {
            _ = Interlocked.Add(ref _plain, (long)value);
            return;
        }

        if (Buckets is not null)
        {
            Buckets.Record(value);
            return;
        }

        var text = PrometheusText.Labels(labels);
        lock (_gate)
        {
            _hasPlain = false;
            _labelled[text] = instrument.IsObservable ? value : _labelled.GetValueOrDefault(text) + value;
        }
    }

    /// <summary>Observed values are made again at each scrape, so that the values of removed queues disappear.</summary>
    public void Forget()
    {
        if (instrument.IsObservable)
        {
            lock (_gate)
            {
                _labelled.Clear();
            }
        }
    }

    public IReadOnlyList<(string Labels, double Value)> Read()
    {
        lock (_gate)
        {
            return _hasPlain
                ? [(string.Empty, Interlocked.Read(ref _plain))]
                : [.. _labelled.Select(static pair => (pair.Key, pair.Value))];
        }
    }
}
