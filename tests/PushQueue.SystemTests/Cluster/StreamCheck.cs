using System.Globalization;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>Judges what consumers of a broadcast got, against what was stored.</summary>
internal static class StreamCheck
{
    /// <summary>All of 1 to <paramref name="stored"/>, in order, each once, and no gap.</summary>
    public static async Task GotAllAsync(EventStream stream, int stored)
    {
        await stream.GotAsync(stored.ToString(CultureInfo.InvariantCulture));
        Assert.Empty(stream.Gaps);
        Assert.Equal(Numbers(stored), stream.Bodies.Take(stored));
    }

    /// <summary>All of 1 to <paramref name="stored"/>; twice or out of order only where a gap was told.</summary>
    public static async Task GotAllOrGapAsync(EventStream stream, int stored)
    {
        await stream.GotAsync(stored.ToString(CultureInfo.InvariantCulture));
        if (stream.Gaps.Count == 0)
        {
            Assert.Equal(Numbers(stored), stream.Bodies.Take(stored));
        }
    }

    public static IEnumerable<string> Numbers(int last) =>
        Enumerable.Range(1, last).Select(static number => number.ToString(CultureInfo.InvariantCulture));
}
