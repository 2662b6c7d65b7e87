using Xunit;

namespace PushQueue.SystemTests.History;

/// <summary>The judgement of a soak: what counts as growth.</summary>
public sealed class SoakSampleTests
{
    [Fact]
    public void A_heap_that_is_collected_and_a_log_that_is_cleaned_do_not_grow() =>
        Assert.Empty(SoakSample.Growth(Life(heap: minute => 20 + (minute % 3 * 30), log: minute => minute % 5 * 12, handles: _ => 270)));

    [Fact]
    public void Live_memory_and_handles_that_rise_are_growth() => Assert.Equal(
        ["process 1: managed heap, MB grew from 44 to 84", "process 1: handles grew from 290 to 330"],
        SoakSample.Growth(Life(heap: minute => 20 + (minute * 4), log: _ => 10, handles: minute => 258 + (minute * 4))));

    private static List<SoakSample> Life(Func<int, int> heap, Func<int, int> log, Func<int, int> handles) =>
    [
        .. Enumerable.Range(0, 21).Select(minute => new SoakSample(
            minute, 1, 220, heap(minute), handles(minute), 18, 34, log(minute), 5, minute * 100, 0, 1)),
    ];
}
