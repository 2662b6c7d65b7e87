using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace PushQueue.SystemTests.Support;

/// <summary>A server as users run it: a process of its own. Killed by its pid when the test is over.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly StringBuilder _errors;

    private readonly string _startLine;

    private ServerProcess(Process process, StringBuilder errors, Uri address, string startLine)
    {
        _startLine = startLine;
        _process = process;
        _errors = errors;
        Address = address;
        Client = new HttpClient { BaseAddress = address };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public int ProcessId => _process.Id;

    /// <summary>The address of another listener than the main port: a dialect, or syslog.</summary>
    public Uri AddressOf(string name) =>
        new(_startLine.Split(", ").Single(part => part.StartsWith(name + " on ", StringComparison.Ordinal))[(name.Length + 4)..]);

    /// <summary>The server's standard error so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    /// <summary>Starts a server on a free port and waits until it listens.</summary>
    public static Task<ServerProcess> StartAsync(string dataDirectory, params string[] options) =>
        StartInAsync(Path.GetTempPath(), ["--data", dataDirectory, .. options]);

    /// <summary>The same, in a folder whose appsettings.json is read.</summary>
    public static Task<ServerProcess> StartInAsync(string folder, params string[] options) => StartInAsync(folder, null, options);

    /// <summary>The same, with one more environment variable.</summary>
    public static async Task<ServerProcess> StartInAsync(string folder, (string Name, string Value)? variable, params string[] options)
    {
        var process = Launch(["--port", "0", .. options], folder, variable);
        var errors = CollectErrors(process);
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(StartTimeout);
        var address = ListeningLine().Match(line ?? "");
        if (!address.Success)
        {
            process.Kill();
            throw new InvalidOperationException($"The server did not start; it said '{line}' and on standard error: {errors}");
        }

        return new ServerProcess(process, errors, new Uri(address.Groups["url"].Value), line!);
    }

    /// <summary>Runs a server that is expected to end by itself. Returns its exit code and everything it wrote.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(params string[] options) => RunInAsync(Path.GetTempPath(), null, options);

    /// <summary>The same, in a folder, with one more environment variable.</summary>
    public static async Task<(int ExitCode, string Output)> RunInAsync(
        string folder,
        (string Name, string Value)? variable,
        params string[] options)
    {
        using var process = Launch(options, folder, variable);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(ExitTimeout);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>kill -9: nothing is flushed, nobody is told.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(ExitTimeout);
    }

    /// <summary>Sends a signal by number, such as 15 for SIGTERM.</summary>
    public void Signal(int signal)
    {
        if (Kill(_process.Id, signal) != 0)
        {
            throw new InvalidOperationException($"Signal {signal} could not be sent to process {_process.Id}.");
        }
    }

    /// <summary>SIGTERM, and the exit code of the orderly stop.</summary>
    public async Task<int> StopAsync()
    {
        Signal(15);
        await _process.WaitForExitAsync().WaitAsync(ExitTimeout);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static Process Launch(IReadOnlyList<string> options, string? folder = null, (string Name, string Value)? variable = null)
    {
        // The server is built next to the tests, in the same configuration.
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        var assembly = Path.Combine(own.Parent!.Parent!.FullName, "PushQueue.Server", own.Name, "PushQueue.Server.dll");
        var start = new ProcessStartInfo("dotnet", [assembly, .. options])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };

        // A runtime that is killed leaves the pipes of its diagnostics in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";

        // These belong to the history checker; a server refuses unknown options.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PUSHQUEUE_HISTORY_", StringComparison.Ordinal)).ToList())
        {
            _ = start.Environment.Remove(name);
        }

        if (variable is { } one)
        {
            start.Environment[one.Name] = one.Value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException("The server could not be started.");
    }

    private static StringBuilder CollectErrors(Process process)
    {
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (errors)
            {
                errors.AppendLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
        return errors;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);

    [GeneratedRegex(@"listening on (?<url>https?://\S+?),?( |$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ListeningLine();
}
