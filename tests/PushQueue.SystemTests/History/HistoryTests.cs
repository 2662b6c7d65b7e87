using PushQueue.SystemTests.History.Judging;
using Xunit;

namespace PushQueue.SystemTests.History;

/// <summary>
/// A minute of everything at once, while connections are cut and the server is killed and restarted; then all that was seen is judged. The
/// disturbances follow from a seed that is printed; tests/README.md says how to replay it, how to run longer and against other servers.
/// </summary>
public sealed class HistoryTests(ITestOutputHelper output)
{
    /// <summary>
    /// Whether a reader that pauses for some seconds is sent more meanwhile than its buffer holds is up to chance; in so long a time some
    /// are.
    /// </summary>
    private static readonly TimeSpan CertainToOverflow = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Everything_that_was_acknowledged_arrives_as_promised_through_cuts_and_kills()
    {
        var seed = HistoryRun.Seed(output);
        var length = TimeSpan.FromSeconds(HistoryRun.FromEnvironment("PUSHQUEUE_HISTORY_SECONDS") ?? 60);
        if (Environment.GetEnvironmentVariable("PUSHQUEUE_HISTORY_ADDRESSES") is { Length: > 0 } addresses)
        {
            var running = new RunningServers([.. addresses.Split(',').Select(address => new Uri(address))]);
            _ = await HistoryRun.JudgeAsync(running, seed, Disturbance.Plan(seed, length, mayKill: false), length, output);
            return;
        }

        await using var server = await OwnServer.StartAsync();
        var history = await HistoryRun.JudgeAsync(server, seed, Disturbance.Plan(seed, length, mayKill: true), length, output);

        // Else the verdict had nothing to say of these.
        Assert.Contains(history.OfType<PlaceTold>(), place => place.Resumed > 0);
        Assert.Contains(history.OfType<GapTold>(), gap => gap.Cause == "expired");
        if (length >= CertainToOverflow)
        {
            Assert.Contains(history.OfType<GapTold>(), gap => gap.Cause == "overflow");
        }
    }
}
