using PushQueue.SystemTests.History.Judging;
using Xunit;

namespace PushQueue.SystemTests.History;

/// <summary>
/// The same work on nodes that share a Redis, through everything that can happen to them, to Redis and to the way between: held to the same
/// promises by the same verdict.
/// </summary>
public sealed class ClusterHistoryTests(ITestOutputHelper output)
{
    private const int Nodes = 2;
    private const int SecondsOfARound = 45;

    [Fact]
    public async Task Nodes_over_one_redis_keep_every_promise_through_their_own_faults_and_those_of_redis()
    {
        var seed = HistoryRun.Seed(output);
        var rounds = Math.Max(1, (HistoryRun.FromEnvironment("PUSHQUEUE_HISTORY_SECONDS") ?? 0) / SecondsOfARound);
        await using var servers = await ClusterServers.StartAsync(Nodes);

        var history = await HistoryRun.JudgeAsync(
            servers, seed, Disturbance.Rounds(seed, rounds, ClusterServers.Faults), lengthMax: null, output);

        Assert.Equal(rounds, history.OfType<Killed>().Count());
        Assert.Equal(rounds * 4, history.OfType<OutageOver>().Count());
    }
}
