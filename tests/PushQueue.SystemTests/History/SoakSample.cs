using System.Globalization;

namespace PushQueue.SystemTests.History;

/// <summary>The size of a server's process at one time.</summary>
/// <param name="Minute">Minutes since the run began.</param>
/// <param name="Life">Which process of the run this is: 1, and one more after each restart.</param>
/// <param name="ResidentMb">Its resident memory, in MB.</param>
/// <param name="HeapMb">Its managed heap, in MB.</param>
/// <param name="Handles">Its open file descriptors.</param>
/// <param name="Threads">Its threads.</param>
/// <param name="Connections">The streams that it serves.</param>
/// <param name="LogMb">The size of its data folder, in MB.</param>
/// <param name="CpuPercent">Its processor time since the sample before, in percent of one core.</param>
/// <param name="Puts">Messages that it has accepted since its start.</param>
/// <param name="InternalErrors">Faults that it has counted since its start.</param>
/// <param name="MachineLoad">The load of the whole machine in the last minute, this run included.</param>
internal sealed record SoakSample(
    int Minute,
    int Life,
    double ResidentMb,
    double HeapMb,
    int Handles,
    int Threads,
    int Connections,
    double LogMb,
    double CpuPercent,
    long Puts,
    long InternalErrors,
    double MachineLoad)
{
    // Ids, history and the log reach their steady size, and the runtime compiles its hot methods.
    private const int WarmUpMinutes = 6;

    public const string Heading = "| minute | process | resident MB | heap MB | handles | threads | streams | log MB | CPU % | puts | "
        + "faults | load |\n"
        + "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|";

    /// <summary>The sample as a row of a table in Markdown.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"| {Minute} | {Life} | {ResidentMb:0} | {HeapMb:0} | {Handles} | {Threads} | {Connections} | {LogMb:0} | {CpuPercent:0.0} "
        + $"| {Puts} | {InternalErrors} | {MachineLoad:0.0} |");

    /// <summary>
    /// The growth of each process: the last third of its samples compared with the first third, warm-up left out. Empty if everything is
    /// steady, or if the process lived too short to judge. Of the heap and the log, which rise until they are collected or cleaned, the
    /// lowest values count, of all else the medians.
    /// </summary>
    public static IReadOnlyList<string> Growth(IReadOnlyList<SoakSample> samples)
    {
        var grown = new List<string>();
        foreach (var life in samples.GroupBy(sample => sample.Life))
        {
            var first = life.First().Minute;
            var steady = life.Where(sample => sample.Minute - first >= WarmUpMinutes).ToList();
            if (steady.Count < 6)
            {
                continue;
            }

            var third = steady.Count / 3;
            var (early, late) = (steady[..third], steady[^third..]);
            Compare("resident memory, MB", sample => sample.ResidentMb, Median, 1.15, 8);
            Compare("managed heap, MB", sample => sample.HeapMb, Enumerable.Min, 1.25, 8);
            Compare("handles", sample => sample.Handles, Median, 1.05, 4);
            Compare("threads", sample => sample.Threads, Median, 1.05, 4);
            Compare("log, MB", sample => sample.LogMb, Enumerable.Min, 1.25, 64);

            void Compare(string name, Func<SoakSample, double> value, Func<IEnumerable<double>, double> level, double factor, double slack)
            {
                var (before, after) = (level(early.Select(value)), level(late.Select(value)));
                if (after > (before * factor) + slack)
                {
                    grown.Add(string.Create(CultureInfo.InvariantCulture, $"process {life.Key}: {name} grew from {before:0} to {after:0}"));
                }
            }
        }

        return grown;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
