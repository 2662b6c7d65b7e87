using PushQueue.SystemTests.History;
using Xunit;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>
/// Requests, frames and invocations from the server's own tables, valid and changed, against a real server. tests/README.md says how to
/// repeat a run, how to run for hours, and over Redis.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    // An address of loopback that no other program listens on by name, so that pushes reach this run's receiver only.
    private const string PushAddress = "127.83.77.1";

    [Fact]
    public async Task Nothing_that_clients_send_disturbs_the_server_or_other_clients()
    {
        var seed = HistoryRun.FromEnvironment("PUSHQUEUE_TEST_SEED") ?? Environment.TickCount;
        var seconds = HistoryRun.FromEnvironment("PUSHQUEUE_TEST_FUZZ_SECONDS") ?? 60;
        var workers = HistoryRun.FromEnvironment("PUSHQUEUE_TEST_FUZZ_WORKERS") ?? 6;
        var overRedis = HistoryRun.FromEnvironment("PUSHQUEUE_TEST_FUZZ_REDIS") is 1;
        var overTls = HistoryRun.FromEnvironment("PUSHQUEUE_TEST_FUZZ_TLS") is 1;
        var withKeys = HistoryRun.FromEnvironment("PUSHQUEUE_TEST_FUZZ_KEYS") is 1;
        output.WriteLine($"Seed {seed}: repeat with PUSHQUEUE_TEST_SEED={seed}.");
        await using var receiver = new FuzzReceiver(PushAddress);
        await using var target = await FuzzTarget.StartAsync(overRedis, withKeys, overTls, PushAddress);

        var run = new FuzzRun(target, seed, workers, new FuzzMemory(receiver.Url));
        var findings = await run.RunAsync(TimeSpan.FromSeconds(seconds), output);

        Assert.True(findings.IsEmpty, $"Seed {seed}: {findings}");
    }
}
