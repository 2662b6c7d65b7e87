using System.Globalization;
using PushQueue.SystemTests.History.Judging;
using Xunit;

namespace PushQueue.SystemTests.History;

/// <summary>One run: the work, what is done to the servers, and the verdict.</summary>
internal static class HistoryRun
{
    private const int FindingsShown = 30;

    /// <summary>A number from an environment variable; null where that is not set.</summary>
    public static int? FromEnvironment(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <summary>Chooses all disturbances of a run; printed, so that it can be given again.</summary>
    public static int Seed(ITestOutputHelper output)
    {
        var seed = FromEnvironment("PUSHQUEUE_HISTORY_SEED") ?? Environment.TickCount;
        output.WriteLine($"Seed {seed}: replay its disturbances with PUSHQUEUE_HISTORY_SEED={seed}.");
        return seed;
    }

    /// <summary>Works on the servers while they are disturbed, and judges what was seen.</summary>
    /// <param name="servers">The servers under test.</param>
    /// <param name="seed">Chooses who is disturbed.</param>
    /// <param name="plan">The actions.</param>
    /// <param name="lengthMax">Actions that have not begun by then are left out; null for the whole plan.</param>
    /// <param name="output">Gets the counts.</param>
    /// <returns>All that was seen.</returns>
    public static async Task<IReadOnlyList<HistoryEvent>> JudgeAsync(
        IServersUnderTest servers, int seed, IReadOnlyList<Disturbance> plan, TimeSpan? lengthMax, ITestOutputHelper output)
    {
        await using var workload = new Workload(servers, seed, $"history-{Environment.ProcessId}-");
        return await JudgeAsync(workload, seed, plan, lengthMax, output);
    }

    /// <summary>The same with a workload of the caller's.</summary>
    public static async Task<IReadOnlyList<HistoryEvent>> JudgeAsync(
        Workload workload, int seed, IReadOnlyList<Disturbance> plan, TimeSpan? lengthMax, ITestOutputHelper output)
    {
        await workload.RunAsync(plan, lengthMax);
        await workload.FinishAsync();

        var history = workload.Record.Events();
        Describe(history, plan, output);
        var findings = Verdict.Judge(history, workload.Promises, workload.Copies);
        Assert.True(
            findings.Count == 0,
            $"Seed {seed}, {findings.Count} findings:\n{string.Join('\n', findings.Take(FindingsShown))}\n"
            + $"What was seen of the first one:\n{string.Join('\n', Concerning(history, findings))}");

        // A run in which nothing happened proves nothing.
        Assert.All(
            workload.Promises.Keys,
            queue => Assert.True(history.OfType<Arrived>().Count(arrived => arrived.Queue == queue) > 100, queue));
        return history;
    }

    private static void Describe(IReadOnlyList<HistoryEvent> history, IReadOnlyList<Disturbance> plan, ITestOutputHelper output)
    {
        output.WriteLine(Counts(history, happened => happened.GetType().Name));
        output.WriteLine(Counts(plan, disturbance => $"{disturbance.Kind}"));
        output.WriteLine(Counts(history.OfType<GapTold>(), gap => $"gap {gap.Cause}"));
        output.WriteLine(Counts(history.OfType<PlaceTold>(), place => place.Resumed > 0 ? "places with messages" : "places without"));
    }

    private static string Counts<T>(IEnumerable<T> items, Func<T, string> name) =>
        string.Join(", ", items.GroupBy(name).Select(group => $"{group.Key} {group.Count()}"));

    /// <summary>The events that speak of the key in the first finding, and what was done to the servers.</summary>
    private static IEnumerable<string> Concerning(IReadOnlyList<HistoryEvent> history, IReadOnlyList<Finding> findings)
    {
        if (findings.Count == 0
            || findings[0].Sentence.Split(' ').FirstOrDefault(word => word.StartsWith('p') && word.Contains('-')) is not { } key)
        {
            return [];
        }

        return history.Select((happened, at) => (At: at, Happened: happened, Text: happened.ToString()))
            .Where(line => line.Text.Contains($"= {key},", StringComparison.Ordinal)
                || line.Text.Contains($"= {key} ", StringComparison.Ordinal)
                || line.Happened is Killed or OutageBegun or OutageOver)
            .Select(line => $"{line.At}: {line.Text}");
    }
}
