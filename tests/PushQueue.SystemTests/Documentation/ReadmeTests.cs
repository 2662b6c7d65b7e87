using System.Text.RegularExpressions;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Documentation;

/// <summary>Runs every curl line of the README as typed, one after the other, against a server of its own.</summary>
public sealed partial class ReadmeTests
{
    private const string Address = "http://127.0.0.1:8080";

    // A line that lost its answer would otherwise hold up the test; none waits for longer than it says by itself.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Every_curl_line_of_the_readme_works_as_typed()
    {
        var hasCurl = await ToolProcess.ExistsAsync("curl");
        Assert.SkipUnless(hasCurl || Environment.GetEnvironmentVariable("CI") == "true", "curl is missing.");
        using var data = new TemporaryDirectory();
        using var folder = new TemporaryDirectory();
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "photo.jpg"), [0xFF, 0xD8, 0xFF, 0x00]);
        await using var server = await ServerProcess.StartAsync(data.Path);
        var lines = CurlLines(await File.ReadAllTextAsync(Repository.PathOf("README.md")));
        Assert.True(lines.Count > 10, "The README has lost its curl lines, or this test cannot find them.");

        var lastAnswer = "";
        foreach (var line in lines)
        {
            // The reader fills these in from the answer to the line before.
            var typed = line
                .Replace(Address, server.Address.AbsoluteUri.TrimEnd('/'), StringComparison.Ordinal)
                .Replace("/ID/", $"/{Header(lastAnswer, "PushQueue-Id")}/", StringComparison.Ordinal)
                .Replace("=RECEIPT", $"={Header(lastAnswer, "PushQueue-Receipt")}", StringComparison.Ordinal);
            lastAnswer = line.StartsWith("curl -N", StringComparison.Ordinal)
                ? await ListenAsync(server, folder.Path, typed)
                : await RunAsync(folder.Path, typed);
        }
    }

    private static async Task<string> RunAsync(string folder, string line)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(Timeout, folder, "bash", "-c", FailOnErrors(line));

        Assert.True(exitCode == 0, $"{line}\nended with {exitCode}: {output}");
        return output;
    }

    /// <summary>A line that listens: it must print what is put, and end well when the queue is deleted.</summary>
    private static async Task<string> ListenAsync(ServerProcess server, string folder, string line)
    {
        var queue = "/q/" + StreamPath().Match(line).Groups["queue"].Value;
        using var listener = ToolProcess.Start(folder, "bash", "-c", FailOnErrors(line));
        try
        {
            // A message that is put before the listener has joined waits for it.
            using var put = await server.Client.PostAsync(queue, new StringContent("listening"));
            put.EnsureSuccessStatusCode();
            var shown = "";
            while (!shown.Contains("listening", StringComparison.Ordinal))
            {
                shown =
                    await listener.StandardOutput.ReadLineAsync().WaitAsync(Timeout)
                    ?? throw new InvalidOperationException($"{line} ended.");
            }

            using var deleted = await server.Client.DeleteAsync(queue);
            deleted.EnsureSuccessStatusCode();
            await listener.StandardOutput.ReadToEndAsync().WaitAsync(Timeout);
            await listener.WaitForExitAsync().WaitAsync(Timeout);
            Assert.True(listener.ExitCode == 0, $"{line}\nended with {listener.ExitCode}: {await listener.StandardError.ReadToEndAsync()}");
            return shown;
        }
        finally
        {
            if (!listener.HasExited)
            {
                listener.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>An answer of 400 and above is success to curl as typed; here it is not.</summary>
    private static string FailOnErrors(string line) => $$"""curl() { command curl -sS --fail-with-body "$@"; }; {{line}}""";

    private static string Header(string answer, string name) =>
        Regex.Match(answer, $"^{name}: (?<value>\\S+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Groups["value"]
            .Value;

    private static List<string> CurlLines(string markdown) =>
        [.. ShellBlocks().Matches(markdown)
            .SelectMany(block => block.Groups["text"].Value.Split('\n'))
            .Where(line => line.StartsWith("curl ", StringComparison.Ordinal)
                || (line.StartsWith("printf ", StringComparison.Ordinal) && line.Contains("| curl ", StringComparison.Ordinal)))];

    [GeneratedRegex("^```sh\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ShellBlocks();

    [GeneratedRegex(@"/(c|sse)/(?<queue>[^\s'/?]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex StreamPath();
}
