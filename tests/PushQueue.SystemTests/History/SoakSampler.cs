using System.Globalization;
using System.Text.Json;

namespace PushQueue.SystemTests.History;

/// <summary>Takes a sample of the server's process every minute and writes each to a file at once.</summary>
internal sealed class SoakSampler : IAsyncDisposable
{
    private const double Mb = 1024 * 1024;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly OwnServer _server;
    private readonly string? _file;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly CancellationTokenSource _end = new();
    private readonly List<SoakSample> _samples = [];
    private readonly Task _sampling;
    private (int ProcessId, double CpuSeconds, long At) _before;
    private int _life;

    public SoakSampler(OwnServer server, string? file)
    {
        _server = server;
        _file = file is { Length: > 0 } ? file : null;
        Write(SoakSample.Heading, append: false);
        _sampling = SampleAsync();
    }

    /// <summary>All samples so far; complete after <see cref="DisposeAsync"/>.</summary>
    public IReadOnlyList<SoakSample> Samples => _samples;

    public async ValueTask DisposeAsync()
    {
        if (_end.IsCancellationRequested)
        {
            return;
        }

        await _end.CancelAsync();
        await _sampling;
        _http.Dispose();
    }

    private async Task SampleAsync()
    {
        using var timer = new PeriodicTimer(Interval, TimeProvider.System);
        for (var minute = 0; ; minute++)
        {
            try
            {
                var sample = await TakeAsync(minute);
                _samples.Add(sample);
                Write(sample.ToString(), append: true);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException)
            {
                // The server restarts just now; the next minute has its sample.
                Write($"| {minute} | no sample: {e.GetType().Name} |", append: true);
            }

            try
            {
                await timer.WaitForNextTickAsync(_end.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<SoakSample> TakeAsync(int minute)
    {
        var pid = _server.ProcessId;
        var cpuPercent = CpuPercent(pid);
        using var nodes = JsonDocument.Parse(await _http.GetStringAsync(new Uri(_server.Addresses[0], "/nodes"), CancellationToken.None));
        var node = nodes.RootElement.GetProperty("nodes")[0];
        var metrics = await _http.GetStringAsync(new Uri(_server.Addresses[0], "/metrics"), CancellationToken.None);
        var status = await File.ReadAllLinesAsync($"/proc/{pid}/status", CancellationToken.None);
        return new SoakSample(
            minute,
            _life,
            Number(status, "VmRSS:") / 1024.0,
            node.GetProperty("heapBytes").GetInt64() / Mb,
            Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Count(),
            (int)Number(status, "Threads:"),
            node.GetProperty("connections").EnumerateObject().Sum(transport => transport.Value.GetInt32()),
            FolderBytes() / Mb,
            cpuPercent,
            Sum(metrics, "pushqueue_messages_put_total"),
            Sum(metrics, "pushqueue_internal_errors_total"),
            await LoadAsync());
    }

    private static async Task<double> LoadAsync()
    {
        var averages = await File.ReadAllTextAsync("/proc/loadavg", CancellationToken.None);
        return double.Parse(averages.Split(' ')[0], CultureInfo.InvariantCulture);
    }

    private long FolderBytes() => Directory.EnumerateFiles(_server.DataFolder, "*", SearchOption.AllDirectories).Sum(Length);

    /// <summary>0 for a file that the log has deleted since it was listed.</summary>
    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private double CpuPercent(int pid)
    {
        // The name in parentheses may hold spaces; utime and stime are the 12th and 13th fields after it, in ticks of 10 ms.
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var seconds = (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
        var now = TimeProvider.System.GetTimestamp();
        var elapsed = TimeProvider.System.GetElapsedTime(_before.At, now).TotalSeconds;
        var known = _before.ProcessId == pid;
        _life += known ? 0 : 1;
        var percent = known ? (seconds - _before.CpuSeconds) / elapsed * 100 : 0;
        _before = (pid, seconds, now);
        return percent;
    }

    private static long Number(string[] lines, string name)
    {
        var line = Array.Find(lines, line => line.StartsWith(name, StringComparison.Ordinal))
            ?? throw new IOException($"{name} is missing.");
        return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }

    /// <summary>The sum of a metric over all its labels.</summary>
    private static long Sum(string metrics, string name) => metrics.Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Sum(line => (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private void Write(string line, bool append)
    {
        if (_file is null)
        {
            return;
        }

        using var writer = new StreamWriter(_file, append);
        writer.WriteLine(line);
    }
}
