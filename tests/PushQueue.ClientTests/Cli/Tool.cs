using System.Diagnostics;
using PushQueue.ClientTests.Support;

namespace PushQueue.ClientTests.Cli;

/// <summary>The tool as a process of its own.</summary>
internal static class Tool
{
    public static Task<ToolResult> RunAsync(Uri server, string? input, params string[] arguments) =>
        RunAsync(server, input, variable: null, arguments);

    public static async Task<ToolResult> RunAsync(
        Uri server, string? input, (string Name, string Value)? variable, params string[] arguments)
    {
        using var process = Start(server, variable, arguments);
        try
        {
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input);
            }

            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WithTimeout();
            return new ToolResult(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Runs on until the caller ends it.</summary>
    public static Process Start(Uri server, params string[] arguments) => Start(server, variable: null, arguments);

    /// <summary>The same with a signal ignored, as shells do it for jobs in the background (INT) and for nohup (HUP).</summary>
    public static Process StartIgnoring(string? signal, Uri server, params string[] arguments) =>
        Start(server, variable: null, arguments, signal);

    /// <summary>Ends it, whatever state it is in.</summary>
    public static async Task EndAsync(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        await process.WaitForExitAsync().WithTimeout();
    }

    /// <summary>The signals are those of a job in the foreground, however the tests themselves were started.</summary>
    private static Process Start(Uri server, (string Name, string Value)? variable, string[] arguments, string? ignored = null)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        var assembly = Path.Combine(own.Parent!.Parent!.FullName, "PushQueue.Cli", own.Name, "pushqueue.dll");
        string[] ignoring = ignored is null ? [] : [$"--ignore-signal={ignored}"];
        var start = new ProcessStartInfo("env", ["--default-signal=INT,HUP", .. ignoring, "dotnet", assembly, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PUSHQUEUE_SERVER"] = server.AbsoluteUri;
        if (variable is { } one)
        {
            start.Environment[one.Name] = one.Value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException("The tool could not be started.");
    }
}

internal sealed record ToolResult(int ExitCode, string Output, string Errors)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
