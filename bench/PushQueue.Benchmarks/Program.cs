using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace PushQueue.Benchmarks;

internal static class Program
{
    /// <summary>
    /// Runs the benchmarks that the arguments name; <c>--short</c> for a quick look. <c>handlers</c> prints the rates of handlers,
    /// <c>handlers-soak MINUTES</c> their memory over time, <c>waiting-memory</c> the memory of waiting messages. <c>bare PORT</c> serves
    /// puts with Kestrel alone, for comparison.
    /// </summary>
    private static async Task Main(string[] args)
    {
        if (args is ["waiting-memory"])
        {
            await WaitingMemory.PrintAsync();
            return;
        }

        if (args is ["bare", var port])
        {
            await BareServer.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));
            return;
        }

        if (args is ["handlers-soak", var minutes])
        {
            await HandlerSoak.PrintAsync(TimeSpan.FromMinutes(int.Parse(minutes, CultureInfo.InvariantCulture)));
            return;
        }

        if (args is ["handlers", ..])
        {
            await HandlerRates.PrintAsync();
            return;
        }

        // In process: the generated project of the default toolchain does not build under central package versions and one artifacts
        // folder.
        var isShort = args.Contains("--short");
        var job = (isShort ? Job.ShortRun : Job.MediumRun).WithToolchain(InProcessEmitToolchain.Instance);
        var config = ManualConfig.Create(DefaultConfig.Instance)
            .AddJob(job)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .HideColumns(Column.Job, Column.Toolchain, Column.IterationCount, Column.LaunchCount, Column.WarmupCount, Column.UnrollFactor)
            .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "results"));
        _ = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. args.Where(static arg => arg != "--short")], config);
    }
}
