using System.Diagnostics;

namespace PushQueue.Load.Suite;

/// <summary>Starts the compared systems, each in its own folder under the work folder. A system that is not installed is null.</summary>
internal sealed class Systems(string workFolder, string? serverDll, string peersFolder)
{
    private const string NchanModule = "/usr/lib/nginx/modules/ngx_nchan_module.so";

    private static readonly string[] ProgramFolders =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/usr/local/sbin"];

    private readonly string? _nginx = File.Exists(NchanModule) ? Find("nginx") : null;
    private readonly string? _nats = Find("nats-server");
    private readonly string? _beanstalkd = Find("beanstalkd");
    private readonly string? _redis = Find("redis-server");
    private int _folders;

    internal bool HasPushQueue => serverDll is not null && File.Exists(serverDll);

    internal bool HasNchan => _nginx is not null;

    internal bool HasJetStream => _nats is not null;

    internal bool HasBeanstalkd => _beanstalkd is not null;

    internal bool HasRedis => _redis is not null;

    internal IEnumerable<string> Missing() =>
        from system in new[] {
            ("PushQueue", HasPushQueue),
            ("nchan", HasNchan),
            ("JetStream", HasJetStream),
            ("beanstalkd", HasBeanstalkd),
            ("Redis", HasRedis)
        }
        where !system.Item2
        select system.Item1;

    /// <summary>As the peers name themselves; nchan is a module and does not say.</summary>
    internal IEnumerable<string> Versions() =>
        from program in new[] { (_nginx, "-v"), (_nats, "--version"), (_beanstalkd, "-v"), (_redis, "--version") }
        where program.Item1 is not null
        select VersionOf(program.Item1, program.Item2);

    internal ServerProcess StartPushQueue(string durability, string? dataFolder = null) =>
        StartPushQueueWith("--data", dataFolder ?? NewFolder("data"), "--durability", durability);

    /// <summary>
    /// With an access file of two keys that may do everything: one without limits, one with limits that are never reached.
    /// </summary>
    internal (ServerProcess Server, string[] Keys) StartPushQueueWithKeys(string durability)
    {
        var (plain, limited) = (NewKey(), NewKey());
        var file = Path.Combine(NewFolder("keys"), "access.json");
        const string Limits = """, "limits": { "messagesPerSecond": 1000000000, "bytesPerSecond": 1000000000 } }""";
        File.WriteAllText(file, $"{{\"keys\":[{plain.Entry},{limited.Entry.TrimEnd().TrimEnd('}')}{Limits}]}}");
        return (StartPushQueueWith("--data", NewFolder("data"), "--durability", durability, "--auth", file), [plain.Key, limited.Key]);
    }

    private (string Key, string Entry) NewKey()
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Path.GetFullPath(serverDll!),
                "key",
                "new",
                "--can",
                "put,take,listen,manage,stats"
            ]) { UseShellExecute = false, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (
            text.Split('\n').Single(static line => line.StartsWith("pq_", StringComparison.Ordinal)).Trim(),
            text[text.IndexOf('{', StringComparison.Ordinal)..]);
    }

    /// <summary>A node that shares its queues through that Redis.</summary>
    internal ServerProcess StartNode(ServerProcess redis) => StartPushQueueWith("--redis", $"127.0.0.1:{redis.Port}");

    /// <summary>With an append-only file that is flushed once a second: of what Redis offers the nearest to <c>interval:50ms</c>.</summary>
    internal ServerProcess StartRedis()
    {
        var port = ServerProcess.FreePort();
        return ServerProcess.Start("redis-server", _redis!,
            [
                "--bind",
                "127.0.0.1",
                "--port",
                $"{port}",
                "--dir",
                NewFolder("redis"),
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec"
            ], workFolder, port);
    }

    internal ServerProcess StartNchan()
    {
        var (port, folder) = (ServerProcess.FreePort(), NewFolder("nchan"));
        var conf = File.ReadAllText(Path.Combine(peersFolder, "nchan.conf")).Replace("9101", $"{port}", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "nchan.conf"), conf);
        var server = ServerProcess.Start(
            "nginx",
            _nginx!,
            ["-p", folder, "-c", Path.Combine(folder, "nchan.conf"), "-g", "daemon off;"],
            workFolder,
            port);
        while (server.Pids.Count < 2)
        {
            Thread.Sleep(2); // the port takes connections before the worker, which does all the work, is there to be watched
        }

        return server;
    }

    internal ServerProcess StartJetStream()
    {
        var port = ServerProcess.FreePort();
        return ServerProcess.Start(
            "nats-server",
            _nats!,
            ["-a", "127.0.0.1", "-p", $"{port}", "-js", "-sd", NewFolder("nats")],
            workFolder,
            port);
    }

    internal ServerProcess StartBeanstalkd(int flushMs)
    {
        var port = ServerProcess.FreePort();
        return ServerProcess.Start(
            "beanstalkd",
            _beanstalkd!,
            ["-l", "127.0.0.1", "-p", $"{port}", "-b", NewFolder("beanstalkd"), "-f", $"{flushMs}"],
            workFolder,
            port);
    }

    /// <summary>Before a scenario's servers are forgotten: their data must not fill the disk while the next ones run.</summary>
    internal void RemoveFolders()
    {
        foreach (var folder in Directory.GetDirectories(workFolder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    internal string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(workFolder, $"{name}-{++_folders}")).FullName;

    private ServerProcess StartPushQueueWith(params string[] options)
    {
        var port = ServerProcess.FreePort();
        return ServerProcess.Start(
            "PushQueue",
            "dotnet",
            [Path.GetFullPath(serverDll!), "--port", $"{port}", .. options],
            workFolder,
            port,
            "PushQueue listening on");
    }

    private static string VersionOf(string program, string option)
    {
        var start = new ProcessStartInfo(program, [option]) {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return text.Trim().Replace("nginx version: ", "", StringComparison.Ordinal);
    }

    private static string? Find(string program) =>
        ProgramFolders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
