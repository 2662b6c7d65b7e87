using System.Globalization;
using PushQueue.Load.Net;

namespace PushQueue.Load.Measuring;

/// <summary>
/// The cost of the watched processes so far. CPU time comes in the kernel's ticks of 10 ms: measure for a second or more.
/// </summary>
internal static class ProcessGauge
{
    private static readonly double TicksPerSecond = Libc.SystemConfiguration(Libc.ClockTicksPerSecond);

    internal static double CpuSeconds(IEnumerable<int> pids) => pids.Sum(pid =>
    {
        // The name in parentheses may hold spaces; utime and stime are the 12th and 13th fields after it.
        var stat = ReadOrEmpty($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 12 ? (Number(fields[11]) + Number(fields[12])) / TicksPerSecond : 0;
    });

    internal static double OwnCpuSeconds() => Environment.CpuUsage.TotalTime.TotalSeconds;

    internal static double ResidentMegabytes(IEnumerable<int> pids) => pids.Sum(pid =>
    {
        var line = ReadOrEmpty($"/proc/{pid}/status").Split('\n').FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? 0 : Number(line["VmRSS:".Length..].Replace("kB", "", StringComparison.Ordinal).Trim()) / 1024.0;
    });

    /// <summary>A process and what it has started (nginx works in a child).</summary>
    internal static IReadOnlyList<int> WithChildren(int pid)
    {
        var children = ReadOrEmpty($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return [pid, .. children.SelectMany(child => WithChildren((int)Number(child)))];
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
