using Xunit;

namespace PushQueue.ClientTests.History;

/// <summary>The verdict finds what is planted.</summary>
public sealed class ManualAckVerdictTests
{
    [Fact]
    public void What_was_put_and_acked_and_is_gone_is_well() => Assert.Empty(ManualAckVerdict.Judge(["a", "b"], ["a", "b"], []));

    [Theory]
    [InlineData("lost: b", "a", "")]
    [InlineData("forgotten: b", "a", "b")]
    [InlineData("undone: b", "a,b", "b")]
    public void What_went_wrong_is_named(string finding, string acked, string resting) =>
        Assert.StartsWith(
        finding, Assert.Single(ManualAckVerdict.Judge(["a", "b"], acked.Split(','), resting.Split(','))), StringComparison.Ordinal);
}
