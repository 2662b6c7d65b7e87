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

    /// <summary>Skips the test where the program is missing; in continuous integration that is a failure.</summary>
    /// <param name="command">The program.</param>
    /// <param name="probe">Arguments with which it ends well where all that the test needs is there.</param>
    public static async Task SkipWithoutAsync(string command, params string[] probe)
    {
        if (!await ExistsAsync(command, probe))
        {
            var whyNot = $"{command} {string.Join(' ', probe)} does not work here; ./test.sh installs it.";
            Xunit.Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", whyNot);
            Xunit.Assert.Fail(whyNot);
        }
    }

    /// <summary>The lines of an output that are not empty.</summary>
    public static string[] Lines(string output) => output.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries);

    public static async Task<bool> ExistsAsync(string command, params string[] probe)
    {
        try
        {
            return (
                await RunAsync(TimeSpan.FromSeconds(20), Path.GetTempPath(), command, probe is [] ? ["--version"] : probe)).ExitCode == 0;
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
