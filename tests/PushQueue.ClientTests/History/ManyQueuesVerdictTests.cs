using PushQueue.Client;
using Xunit;

namespace PushQueue.ClientTests.History;

/// <summary>The verdict finds each planted fault.</summary>
public sealed class ManyQueuesVerdictTests
{
    private static readonly Dictionary<string, List<string>> Put = new(StringComparer.Ordinal) { ["a"] = ["1", "2", "3"], ["b"] = ["1"] };

    [Theory]
    [InlineData("a1 a2 b1 a3", "", "")]
    [InlineData("a1 a3 b1", "", "a: 1 messages are missing, and no gap was reported.")]
    [InlineData("a1 a3 b1", "b", "a: 1 messages are missing, and no gap was reported.")]
    [InlineData("a1 a3 b1", "a", "")]
    [InlineData("a1 a2 a3", "", "b: 1 messages are missing, and no gap was reported.")]
    [InlineData("a1 a2 b1 b1 a3", "", "b: '1' came 2 times.")]
    [InlineData("a2 a1 b1 a3", "", "a: messages came out of order.")]
    [InlineData("a1 a2 a3 b1 b7", "", "b: '7' was never put.")]
    public void A_fault_is_found_and_a_history_without_one_passes(string came, string gap, string finding)
    {
        var got = came.Split(' ').Select(static one => (one[..1], one[1..])).ToList();
        Gap[] gaps = gap.Length == 0 ? [] : [new Gap(gap, 2, 2, 1, "expired")];

        var findings = ManyQueuesVerdict.Judge(Put, got, gaps);

        Assert.Equal(finding.Length == 0 ? [] : [finding], findings);
    }
}
