using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace PushQueue.Load.Suite;

/// <summary>Facts about the machine that a reader needs to compare the figures with others.</summary>
internal static class MachineFacts
{
    internal static string Describe(string workFolder)
    {
        var cpu = Field("/proc/cpuinfo", "model name");
        var memory = long.Parse(Field("/proc/meminfo", "MemTotal").Split(' ')[0], CultureInfo.InvariantCulture) / 1024.0 / 1024;
        var kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        var disk = new DriveInfo(workFolder).DriveFormat;
        return $"{Environment.ProcessorCount} cores of {cpu}, {memory:F0} GB of memory, Linux {kernel}, "
            + $"{RuntimeInformation.FrameworkDescription}; "
            + $"data on {disk}, where one write of 4 KB with its flush to disk takes {FlushMilliseconds(workFolder):F2} ms (median)";
    }

    private static string Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";

    private static double FlushMilliseconds(string folder)
    {
        var path = Path.Combine(folder, "flush");
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose);
        var block = new byte[4096];
        var times = Enumerable.Range(0, 50).Select(i =>
        {
            var start = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, block, i * block.Length);
            RandomAccess.FlushToDisk(file);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }).Order().ToArray();
        return times[times.Length / 2];
    }
}
