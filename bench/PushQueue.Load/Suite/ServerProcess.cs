using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using PushQueue.Load.Measuring;
using PushQueue.Load.Net;

namespace PushQueue.Load.Suite;

/// <summary>
/// A server that this tool started and that ends with it. Its pid goes into the work folder's list and the work folder is its current
/// directory, so that run.sh can find and end it even when this process is killed.
/// </summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly List<ServerProcess> Running = [];

    private readonly Process _process;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _name;
    private readonly Queue<string> _lastLines = new();

    private ServerProcess(string name, string file, IEnumerable<string> arguments, string workFolder, int port, string? readyText)
    {
        _name = name;
        Port = port;
        var start = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            WorkingDirectory = workFolder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        _process = Process.Start(start) ?? throw new LoadException($"{name} did not start");
        lock (Running)
        {
            Running.Add(this);
            File.AppendAllText(Path.Combine(workFolder, "pids"), $"{_process.Id}\n");
        }

        // Output is always read: a server must not block on a full pipe.
        _process.OutputDataReceived += (_, line) => OnOutput(line.Data, readyText);
        _process.ErrorDataReceived += (_, line) => OnOutput(line.Data, null);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    internal int Port { get; }

    internal IReadOnlyList<int> Pids => ProcessGauge.WithChildren(_process.Id);

    internal double SecondsUntilReady { get; private set; }

    /// <param name="name">For messages.</param>
    /// <param name="file">The program.</param>
    /// <param name="arguments">As they are given to it.</param>
    /// <param name="workFolder">Its current directory.</param>
    /// <param name="port">Where it will listen.</param>
    /// <param name="readyText">Text in a line of its output that shows that it listens; null waits until its port accepts a
    /// connection.</param>
    internal static ServerProcess Start(
        string name, string file, IEnumerable<string> arguments, string workFolder, int port, string? readyText = null)
    {
        var started = Clock.Now;
        var server = new ServerProcess(name, file, arguments, workFolder, port, readyText);
        while (!(readyText is null ? TakesConnections(port) : server._ready.Task.IsCompleted))
        {
            if (server._process.HasExited || Clock.SecondsSince(started) > 120)
            {
                server.Dispose();
                throw new LoadException($"{name} did not begin to listen:\n{string.Join('\n', server._lastLines)}");
            }

            Thread.Sleep(2);
        }

        server.SecondsUntilReady = Clock.SecondsSince(started);
        return server;
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    internal static void EndAll()
    {
        ServerProcess[] all;
        lock (Running)
        {
            all = [.. Running];
        }

        Array.ForEach(all, server => server.Dispose());
    }

    public void Dispose()
    {
        lock (Running)
        {
            if (!Running.Remove(this))
            {
                return;
            }
        }

        if (!_process.HasExited)
        {
            var all = Pids;
            _ = Libc.Kill(_process.Id, Libc.SignalTerminate);
            if (!_process.WaitForExit(TimeSpan.FromSeconds(20)))
            {
                Console.Error.WriteLine($"{_name} did not end when asked; killed");
                foreach (var pid in all)
                {
                    _ = Libc.Kill(pid, Libc.SignalKill);
                }

                _process.WaitForExit();
            }
        }

        _process.Dispose();
    }

    private static bool TakesConnections(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void OnOutput(string? line, string? readyText)
    {
        if (line is null)
        {
            return;
        }

        lock (_lastLines)
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > 20)
            {
                _lastLines.Dequeue();
            }
        }

        if (readyText is not null && line.Contains(readyText, StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    }
}
