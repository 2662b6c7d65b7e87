using System.Globalization;
using Xunit;

namespace PushQueue.SystemTests.History;

/// <summary>
/// The work of <see cref="HistoryTests"/> at a slow pace over hours, with a sample of the server's process every minute. bench/soak.sh runs
/// it; test.sh does not.
/// </summary>
[Trait("Category", "Soak")]
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int Pace = 20;

    // Ids and broadcast messages are kept this long, and the log as long as they; sizes are steady after that.
    private const string Memory = "3m";

    [Fact(Explicit = true)]
    public async Task A_server_keeps_its_promises_and_its_size_over_hours_of_work_cuts_and_restarts()
    {
        var seed = HistoryRun.Seed(output);
        var minutes = HistoryRun.FromEnvironment("PUSHQUEUE_TEST_SOAK_MINUTES") ?? 60;
        var stretches = HistoryRun.FromEnvironment("PUSHQUEUE_TEST_SOAK_STRETCHES") ?? 3;
        var plan = Disturbance.Stretches(seed, stretches, TimeSpan.FromMinutes((double)minutes / stretches));
        await using var server = await OwnServer.StartAsync();
        await using var sampler = new SoakSampler(server, Environment.GetEnvironmentVariable("PUSHQUEUE_TEST_SOAK_SAMPLES"));
        await using var workload = new Workload(server, seed, "soak-", Pace, Memory);

        var history = await HistoryRun.JudgeAsync(workload, seed, plan, lengthMax: null, output);

        await sampler.DisposeAsync();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{history.Count} events, no finding."));
        Assert.Equal(stretches, sampler.Samples.Select(sample => sample.Life).Distinct().Count());
        Assert.All(sampler.Samples, sample => Assert.Equal(0, sample.InternalErrors));
        Assert.Empty(SoakSample.Growth(sampler.Samples));
    }
}
