using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PushQueue.Tests.Support;

/// <summary>
/// A real redis-server on a free port, with a folder of its own; both are gone with it. It can be killed, frozen, and started again on the
/// same port and data.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pushqueue-redis-");
    private readonly string[] _options;
    private string? _sentinelFile;
    private Process? _process;

    private RedisServer(int port, string[] options)
    {
        Port = port;
        _options = options;
    }

    public int Port { get; }

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    public string Folder => _directory.FullName;

    /// <param name="options">Options of redis-server, as <c>--appendonly yes</c> in two words. Without any it keeps nothing on
    /// disk.</param>
    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        // A port that is free may be taken by another before redis-server listens on it; then it is another one's turn.
        for (var attempt = 1; ; attempt++)
        {
            var server = new RedisServer(FreePort(), options);
            try
            {
                await server.StartAgainAsync();
                return server;
            }
            catch (InvalidOperationException) when (attempt < 5)
            {
                await server.DisposeAsync();
            }
        }
    }

    /// <summary>A Sentinel that watches the master at that port, and takes it for gone after a second of silence; two must agree.</summary>
    public static async Task<RedisServer> StartSentinelAsync(string master, int port)
    {
        var server = new RedisServer(FreePort(), []);
        server._sentinelFile = Path.Combine(server.Folder, "sentinel.conf");
        await File.WriteAllLinesAsync(server._sentinelFile,
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"port {server.Port}"), "bind 127.0.0.1", $"dir {server.Folder}", "loglevel warning",
            string.Create(CultureInfo.InvariantCulture, $"sentinel monitor {master} 127.0.0.1 {port} 2"),
            $"sentinel down-after-milliseconds {master} 1000",
            $"sentinel failover-timeout {master} 5000",
        ]);
        await server.StartAgainAsync();
        return server;
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts it on the same port and data, and returns when it serves.</summary>
    public async Task StartAgainAsync()
    {
        var start =
            new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        string[] arguments = _sentinelFile is { } file ? [file, "--sentinel"] :
        [
            "--port", Port.ToString(
                CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", Folder, "--save", string.Empty, "--loglevel", "warning",
            .. _options,
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await UntilItServesAsync(_process);
    }

    /// <summary>Ends it as kill -9 does: nothing is written any more.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync().WaitAsync(Patience);
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Stops the process where it is; its connections stay.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    /// <summary>Runs one command as redis-cli does; the raw answer of the protocol.</summary>
    public async Task<string> CommandAsync(params string[] words)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port).WaitAsync(Patience);
        var command = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (var word in words)
        {
            command.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(command.ToString())).AsTask().WaitAsync(Patience);
        var buffer = new byte[64 * 1024];
        var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _directory.Delete(recursive: true);
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private async Task UntilItServesAsync(Process process)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await CommandAsync("PING") is var answer && !answer.StartsWith("-LOADING", StringComparison.Ordinal))
                {
                    return;
                }
            }
            catch (SocketException)
            {
                // Not listening yet.
            }

            if (process.HasExited)
            {
                throw new InvalidOperationException($"redis-server ended with {process.ExitCode} before it served.");
            }

            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new TimeoutException("redis-server does not serve.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }
}
