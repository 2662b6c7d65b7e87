using System.Numerics;

namespace PushQueue.Load.Measuring;

/// <summary>
/// Counts of nanoseconds in buckets at most 1.6% wide: constant memory, no sorting of millions of samples, exact maximum.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int SubCount = 1 << SubBits;

    private readonly long[] _counts = new long[(64 - SubBits + 1) * SubCount];
    private long _total;
    private long _max;

    internal void Add(long nanoseconds)
    {
        var value = Math.Max(0, nanoseconds);
        _counts[IndexOf(value)]++;
        _total++;
        _max = Math.Max(_max, value);
    }

    internal void Merge(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        _total += other._total;
        _max = Math.Max(_max, other._max);
    }

    internal Latency Summary() => new(Milliseconds(.5), Milliseconds(.9), Milliseconds(.99), Milliseconds(.999), Round(_max));

    private double Milliseconds(double share)
    {
        var wanted = (long)Math.Ceiling(share * _total);
        long sum = 0;
        for (var i = 0; i < _counts.Length && _total > 0; i++)
        {
            sum += _counts[i];
            if (sum >= wanted)
            {
                return Round(Math.Min(_max, UpperEnd(i)));
            }
        }

        return 0;
    }

    private static double Round(long nanoseconds) => Math.Round(nanoseconds / 1e6, 3);

    private static int IndexOf(long value)
    {
        if (value < SubCount)
        {
            return (int)value;
        }

        var shift = BitOperations.Log2((ulong)value) - SubBits;
        return ((shift + 1) * SubCount) + (int)((value >> shift) & (SubCount - 1));
    }

    private static long UpperEnd(int index)
    {
        if (index < SubCount)
        {
            return index;
        }

        var shift = (index / SubCount) - 1;
        return (((long)SubCount + (index % SubCount) + 1) << shift) - 1;
    }
}

/// <summary>In milliseconds.</summary>
internal sealed record Latency(double P50, double P90, double P99, double P999, double Max);
