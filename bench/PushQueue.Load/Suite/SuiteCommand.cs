using System.Runtime.InteropServices;

namespace PushQueue.Load.Suite;

/// <summary>The whole comparison: scenario by scenario, its contenders in turns, to a table.</summary>
internal static class SuiteCommand
{
    private const int RunsUsually = 5;
    private const int RunsQuick = 2;

    /// <summary>Figures that were measured after the end of their servers must not become a table.</summary>
    private static volatile bool _interrupted;

    internal static int Run(Arguments arguments)
    {
        var work = Path.GetFullPath(arguments.Text("--work", Path.Combine(Path.GetTempPath(), $"pushqueue-bench-{Environment.ProcessId}")));
        var quick = arguments.Has("--quick");
        var runs = arguments.Number("--runs", quick ? RunsQuick : RunsUsually);
        var only = arguments.Text("--only", "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var output = arguments.Text("--out", "");
        Directory.CreateDirectory(work);
        var systems = new Systems(
            work,
            arguments.Text("--server", "artifacts/bin/PushQueue.Server/release/PushQueue.Server.dll"),
            arguments.Text("--peers", "bench/peers"));
        arguments.RequireAllUsed();

        using var onInterrupt = EndAllOn(PosixSignal.SIGINT);
        using var onTerminate = EndAllOn(PosixSignal.SIGTERM);
        var missing = systems.Missing().ToList();
        missing.ForEach(system => Console.Error.WriteLine($"{system} is not installed or not built: left out"));
        try
        {
            var table = new ResultTable();
            var machine = MachineFacts.Describe(work);
            RunAll(systems, quick ? SuiteScale.Quick : SuiteScale.Full, runs, only, table);
            if (_interrupted)
            {
                throw new LoadException("interrupted");
            }

            var text = table.Render(machine, runs, [.. systems.Versions()], missing);
            Console.WriteLine(text);
            if (output.Length > 0)
            {
                File.WriteAllText(output, text);
            }

            return 0;
        }
        finally
        {
            ServerProcess.EndAll();
            Directory.Delete(work, recursive: true);
        }
    }

    private static void RunAll(Systems systems, SuiteScale scale, int runs, string[] only, ResultTable table)
    {
        var names = Scenarios(new Stage(systems, scale)).Select(scenario => scenario.Name).ToList();
        if (Array.Find(only, name => !names.Contains(name)) is { } unknown)
        {
            throw new LoadException($"no scenario '{unknown}'; there are {string.Join(", ", names)}");
        }

        foreach (var name in names.Where(name => !_interrupted && (only.Length == 0 || only.Contains(name))))
        {
            using var stage = new Stage(systems, scale); // its servers end with it
            var scenario = Scenarios(stage).Single(s => s.Name == name);
            table.Add(scenario, Measure(systems, scenario, Math.Min(runs, scenario.RunsMax), table));
        }
    }

    private static IEnumerable<Scenario> Scenarios(Stage stage) =>
    [
        .. FanoutScenarios.All(stage),
        .. AccessScenarios.All(stage),
        .. QueueScenarios.PutAndTake(stage),
        FanoutScenarios.IdleMemory(stage),
        .. StartupScenarios.All(stage),
        .. QueueScenarios.Leases(stage),
        .. ManyReadersScenarios.All(stage),
        ClientScenarios.Client(stage),
        DialectScenarios.Dialects(stage),
        .. ClusterScenarios.All(stage),
    ];

    private static Dictionary<string, List<Sample>> Measure(Systems systems, Scenario scenario, int runs, ResultTable table)
    {
        var missing = systems.Missing().ToList();
        var contenders = scenario.Contenders.Where(
            contender => !missing.Exists(system => contender.Name.StartsWith(system, StringComparison.Ordinal))).ToList();
        foreach (var contender in contenders.Where(contender => contender.WarmUp))
        {
            Console.Error.WriteLine($"{scenario.Name}: {contender.Name}, warm-up");
            Attempt(scenario, contender, table);
        }

        var samples = new Dictionary<string, List<Sample>>();
        for (var run = 1; run <= runs && !_interrupted; run++)
        {
            foreach (var contender in contenders)
            {
                if (Attempt(scenario, contender, table) is { } sample)
                {
                    Console.Error.WriteLine($"{scenario.Name}: {contender.Name}, run {run}: "
                        + string.Join(
                            ", ",
                            sample.Select(figure => $"{figure.Key} {figure.Value:G5}")) + (sample.Problem is null
                                ? ""
                                : $" !! {sample.Problem}"));
                    (samples.TryGetValue(contender.Name, out var list) ? list : samples[contender.Name] = []).Add(sample);
                }
            }
        }

        return samples;
    }

    /// <summary>One scenario that cannot run (a route that does not exist yet) does not take the others with it.</summary>
    private static Sample? Attempt(Scenario scenario, Contender contender, ResultTable table)
    {
        try
        {
            return contender.Run();
        }
        catch (Exception e) when (e is LoadException or HttpRequestException)
        {
            Console.Error.WriteLine($"{contender.Name} could not run: {e.Message}");
            table.AddProblem($"{scenario.Name}, {contender.Name}: could not run: {e.Message.Split('\n')[0]}");
            return null;
        }
    }

    private static PosixSignalRegistration EndAllOn(PosixSignal signal) => PosixSignalRegistration.Create(signal, _ =>
    {
        _interrupted = true;
        ServerProcess.EndAll();
    });
}
