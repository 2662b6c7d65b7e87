using System.Diagnostics.Metrics;

namespace PushQueue.Diagnostics;

/// <summary>A histogram as Prometheus counts it.</summary>
internal sealed class MetricBuckets
{
    private readonly Lock _gate = new();
    private readonly long[] _counts;
    private double _sum;

    private MetricBuckets(IReadOnlyList<double> bounds)
    {
        Bounds = bounds;
        _counts = new long[bounds.Count + 1];
    }

    /// <summary>The upper bounds; the last bucket has none.</summary>
    public IReadOnlyList<double> Bounds { get; }

    public static MetricBuckets? Of(Instrument instrument) =>
        instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } ? new MetricBuckets(bounds) : null;

    public void Record(double value)
    {
        var bucket = 0;
        while (bucket < Bounds.Count && value > Bounds[bucket])
        {
            bucket++;
        }

        lock (_gate)
        {
            _counts[bucket]++;
            _sum += value;
        }
    }

    public (long[] Counts, double Sum) Read()
    {
        lock (_gate)
        {
            return ([.. _counts], _sum);
        }
    }
}
