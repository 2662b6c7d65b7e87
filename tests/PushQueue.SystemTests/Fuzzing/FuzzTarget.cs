using System.Globalization;
using System.Net.Security;
using System.Text.Json;
using System.Text.RegularExpressions;
using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>A real server, and the questions by which it shows its state.</summary>
internal sealed partial class FuzzTarget : IAsyncDisposable
{
    private static readonly string[] Dialects = ["restmq", "presque", "redisched"];

    /// <summary>Log lines at warning and above whose cause the fuzzer knows.</summary>
    private readonly Regex[] _known =
    [
        // A topic's URL leads to a receiver that refuses or does not exist.
        LineOf("Topic .* cannot be pushed to"),

        // A line is longer than a message may be.
        LineOf("A syslog line from .* has more than"),

        // The queue of an address's lines is full or refuses them.
        LineOf("syslog lines for .* wait"),

        // The web server begins a read on a connection whose last read it has not ended (dotnet/aspnetcore issue 52324, open), and ends the
        // connection. Seen four times in 600,000 sends.
        LineOf("Server\\.Kestrel\\[0\\] Connection processing ended abnormally.*InvalidOperationException: Reading is already in progress"),
        LineOf("Server\\.Kestrel\\[67\\] .*InvalidOperationException: Reading is already in progress"),

        // A header block of HTTP/2 names field 0 or one beyond the web server's own table; it ends the connection.
        LineOf("Server\\.Kestrel\\[0\\] Connection processing ended abnormally.*IndexOutOfRangeException.*OnStaticIndexedHeader"),
    ];

    private readonly ServerProcess _server;
    private readonly TemporaryDirectory _data;
    private readonly RedisServer? _redis;
    private readonly TestAuthority? _authority;
    private readonly int[] _dialectPorts;
    private int _linesSeen;

    private FuzzTarget(
        ServerProcess server, TemporaryDirectory data, RedisServer? redis, TestAuthority? authority, FuzzTables tables, FuzzKeys keys)
    {
        _authority = authority;
        Client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
        })
        {
            BaseAddress = server.Address,
        };
        _server = server;
        _data = data;
        _redis = redis;
        Tables = tables;
        Keys = keys;
        Client.DefaultRequestHeaders.Authorization = keys.Administrator is { } key ? new("Bearer", key) : null;
        _dialectPorts = [.. Dialects.Select(name => server.AddressOf(name).Port)];
        SyslogPort = server.AddressOf("syslog").Port;
    }

    public FuzzTables Tables { get; }

    public FuzzKeys Keys { get; }

    public int Port => _server.Address.Port;

    public int SyslogPort { get; }

    public HttpClient Client { get; }

    public bool IsTls => _authority is not null;

    /// <summary>The protocol that requests of HTTP/1.1 name over TLS; null without TLS.</summary>
    public SslApplicationProtocol? Tls => IsTls ? SslApplicationProtocol.Http11 : null;

    public int ProcessId => _server.ProcessId;

    public static async Task<FuzzTarget> StartAsync(bool overRedis, bool withKeys, bool overTls, string pushAddress)
    {
        var tables = await FuzzTables.ReadAsync();
        var data = new TemporaryDirectory();
        RedisServer? redis = null;
        var authority = overTls ? new TestAuthority() : null;
        try
        {
            redis = overRedis ? await RedisServer.StartAsync() : null;
            var access = Path.Combine(data.Path, "access.json");
            var keys = withKeys ? await FuzzKeys.WriteAsync(access) : new FuzzKeys();
            string[] auth = withKeys ? ["--auth", access] : [];
            var certificate = authority?.Issue("127.0.0.1");
            string[] tls = certificate is var (file, key) ? ["--cert", file, "--cert-key", key] : [];
            string[] store = redis is null ? ["--durability", "memory"] : ["--redis", $"127.0.0.1:{redis.Port}"];
            var server = await ServerProcess.StartAsync(
                data.Path,
                [
                    .. store, .. auth, .. tls, "--push-allow", pushAddress, "--syslog-port", "0",
                    .. Dialects.SelectMany(name => (string[])[$"--{name}-port", "0"]),
                ]);
            return new FuzzTarget(server, data, redis, authority, tables, keys);
        }
        catch
        {
            await (redis?.DisposeAsync() ?? default);
            authority?.Dispose();
            data.Dispose();
            throw;
        }
    }

    /// <summary>Where a route is asked: at the main port, or at a dialect's own without its prefix.</summary>
    public (int Port, string Prefix) PortFor(FuzzRoute route, Random random)
    {
        var dialect = Array.FindIndex(Dialects, name => route.Pattern.StartsWith($"/{name}", StringComparison.Ordinal));
        return dialect >= 0 && random.Next(3) == 0 ? (_dialectPorts[dialect], $"/{Dialects[dialect]}") : (Port, "");
    }

    public int AnyPort(Random random) => random.Next(2) == 0 ? Port : _dialectPorts[random.Next(_dialectPorts.Length)];

    /// <summary>Whether the process has ended.</summary>
    public bool HasEnded => !File.Exists($"/proc/{ProcessId}/stat")
        || File.ReadAllText($"/proc/{ProcessId}/stat").Contains(") Z ", StringComparison.Ordinal);

    /// <summary>The end of the server's standard error.</summary>
    public string LastLines => string.Join('\n', _server.Errors.Split('\n').TakeLast(60));

    /// <summary>New log lines at warning and above that no known cause explains.</summary>
    public IReadOnlyList<string> NewLines()
    {
        lock (_known)
        {
            var lines = _server.Errors.Split('\n');
            var found = lines[_linesSeen..^1]
                .Where(line => LogLine().IsMatch(line) && !Array.Exists(_known, known => known.IsMatch(line))).ToList();
            _linesSeen = lines.Length - 1;
            return found;
        }
    }

    /// <summary>The sum of a metric over its labels.</summary>
    public async Task<double> MetricAsync(string name) => Sum(await Client.GetStringAsync("/metrics"), name);

    /// <summary>The remains of clients that have all gone, or an empty text.</summary>
    public async Task<string> LeftOversAsync()
    {
        var metrics = await Client.GetStringAsync("/metrics");
        var left = new List<string>();
        var queues = await QueuesAsync();
        foreach (var name in (string[])["pushqueue_connections", "pushqueue_consumers", "pushqueue_buffers_used_bytes"])
        {
            if (Sum(metrics, name) is var value and not 0)
            {
                left.Add($"{name} is {value}");
            }
        }

        // The server itself waits for jobs of each topic that it pushes.
        if (Sum(metrics, "pushqueue_takes_waiting") is var waiting && waiting > queues.Count(queue => queue.IsPushed))
        {
            left.Add($"pushqueue_takes_waiting is {waiting}");
        }

        foreach (var (queue, _) in queues)
        {
            var path = $"/q/{Uri.EscapeDataString(queue)}/messages?state=leased&limit=1000&preview=0";
            using var leased = JsonDocument.Parse(await Client.GetStringAsync(path));
            foreach (var message in leased.RootElement.GetProperty("messages").EnumerateArray())
            {
                if (!message.TryGetProperty("leasedUntil", out _))
                {
                    left.Add($"message {message.GetProperty("id").GetString()} of queue {queue} is leased without an end");
                }
            }
        }

        return string.Join("; ", left.Take(10));
    }

    /// <summary>Open sockets of the process.</summary>
    public int Sockets() => Directory.EnumerateFileSystemEntries($"/proc/{ProcessId}/fd").Count(file =>
    {
        try
        {
            return new FileInfo(file).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) ?? false;
        }
        catch (IOException)
        {
            return false;
        }
    });

    /// <summary>All queues, and whether their messages are pushed to a URL.</summary>
    public async Task<IReadOnlyList<(string Name, bool IsPushed)>> QueuesAsync()
    {
        var queues = new List<(string, bool)>();
        for (var after = ""; after is not null;)
        {
            using var page = JsonDocument.Parse(await Client.GetStringAsync($"/q?limit=1000{after}"));
            queues.AddRange(page.RootElement.GetProperty("queues").EnumerateArray()
                .Select(queue => (queue.GetProperty("queue").GetString()!, queue.TryGetProperty("pushUrl", out _))));
            after = page.RootElement.GetProperty("next").GetString() is { } next ? $"&after={Uri.EscapeDataString(next)}" : null;
        }

        return queues;
    }

    public async Task DeleteAsync(string queue)
    {
        using var answer = await Client.DeleteAsync($"/q/{Uri.EscapeDataString(queue)}");
        answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
        _authority?.Dispose();
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        _data.Dispose();
    }

    private static double Sum(string metrics, string name) => metrics.Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is ' ' or '{')
        .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    private static Regex LineOf(string pattern) => new(pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    [GeneratedRegex("^(warn|fail|crit): |Unhandled exception", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LogLine();
}
