using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace PushQueue.SystemTests.Support;

/// <summary>A program of the machine that runs and ends, such as node or curl.</summary>
internal static class ToolProcess
{
    /// <summary>Runs it to its end; kills it, and all that it has started, where that takes too long.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        TimeSpan timeout, string workingDirectory, string command, params string[] arguments)
    {
        using var process = Start(workingDirectory, command, arguments);
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(output, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync().WaitAsync(timeout);
        }
        catch (TimeoutException e)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            throw new TimeoutException($"{command} did not end within {timeout}. It wrote: {output}", e);
        }

        return (process.ExitCode, output.ToString());
    }

    public static Process Start(string workingDirectory, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory,
        };
        return Process.Start(start) ?? throw new InvalidOperationException($"{command} could not be started.");
    }

    public static async Task<bool> ExistsAsync(string command)
    {
        try
        {
            return (await RunAsync(TimeSpan.FromSeconds(20), Path.GetTempPath(), command, "--version")).ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static void Append(StringBuilder output, string? line)
    {
        lock (output)
        {
            output.AppendLine(line);
        }
    }
}
