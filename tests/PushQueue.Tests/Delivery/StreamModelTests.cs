using System.Globalization;
using Xunit;

namespace PushQueue.Tests.Delivery;

/// <summary>
/// Drives delivery over a real store with random steps (subscribe in every way, unsubscribe, put, ack, release, cancel, time, settings,
/// reopen) and compares what consumers got with a simple model. A failure prints its seed and what was played; PUSHQUEUE_TEST_SEED replays
/// it, PUSHQUEUE_TEST_SEQUENCES and PUSHQUEUE_TEST_STEPS run more and longer ones.
/// </summary>
public sealed class StreamModelTests
{
    [Fact]
    public async Task Broadcast_consumers_get_what_the_model_says() => await PlayAllAsync(roundRobin: false);

    [Fact]
    public async Task Roundrobin_consumers_hold_what_the_model_says() => await PlayAllAsync(roundRobin: true);

    private static async Task PlayAllAsync(bool roundRobin)
    {
        var seed = FromEnvironment("PUSHQUEUE_TEST_SEED");
        var (first, count) = seed is { } one ? (one, 1) : (1, FromEnvironment("PUSHQUEUE_TEST_SEQUENCES") ?? 60);
        var steps = FromEnvironment("PUSHQUEUE_TEST_STEPS") ?? 50;
        for (var next = first; next < first + count; next++)
        {
            await using var run = new StreamRun(next, roundRobin);
            if (await run.PlayAsync(steps) is { } difference)
            {
                Assert.Fail($"Seed {next} (replay it with PUSHQUEUE_TEST_SEED={next}):\n{difference}");
            }
        }
    }

    private static int? FromEnvironment(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
