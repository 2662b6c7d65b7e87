using System.Text.RegularExpressions;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Documentation;

/// <summary>
/// Runs every curl line of a page as typed, one after the other, against a server of its own. Lines that a page shows below a curl line are
/// its answer, in which the character … stands for any text.
/// </summary>
public sealed partial class ReadmeTests
{
    private const string Address = "http://127.0.0.1:8080";

    // A line that lost its answer would otherwise hold up the test; none waits for longer than it says by itself.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("README.md", 20, 0)]
    [InlineData("docs/patterns.md", 20, 8)]
    public async Task Every_curl_line_of_the_page_works_as_typed(string page, int linesMin, int answersMin)
    {
        var hasCurl = await ToolProcess.ExistsAsync("curl");
        Assert.SkipUnless(hasCurl || Environment.GetEnvironmentVariable("CI") == "true", "curl is missing.");
        using var data = new TemporaryDirectory();
        using var folder = new TemporaryDirectory();
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "photo.jpg"), [0xFF, 0xD8, 0xFF, 0x00]);
        await using var server = await ServerProcess.StartAsync(data.Path);
        var lines = CurlLines(await File.ReadAllTextAsync(Repository.PathOf(page.Split('/'))));
        Assert.True(lines.Count >= linesMin, $"{page} has lost its curl lines, or this test cannot find them.");
        Assert.True(lines.Count(static line => line.Answer.Length > 0) >= answersMin, $"{page} has lost its answers.");

        var (id, receipt) = ("", "");
        foreach (var (line, shown) in lines)
        {
            // The reader fills these in from the headers of the last lease.
            var typed = line
                .Replace(Address, server.Address.AbsoluteUri.TrimEnd('/'), StringComparison.Ordinal)
                .Replace("/ID/", $"/{id}/", StringComparison.Ordinal)
                .Replace("=RECEIPT", $"={receipt}", StringComparison.Ordinal);
            var answer = line.StartsWith("curl -N", StringComparison.Ordinal)
                ? await ListenAsync(server, folder.Path, typed)
                : await RunAsync(folder.Path, typed);
            (id, receipt) = Header(answer, "PushQueue-Receipt") is { Length: > 0 } lease
                ? (Header(answer, "PushQueue-Id"), lease) : (id, receipt);
            Assert.True(shown.Length == 0 || IsAnswer(shown, answer), $"{page}: {line}\nis answered with: {answer}\nnot: {shown}");
        }
    }

    private static async Task<string> RunAsync(string folder, string line)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(Timeout, folder, "bash", "-c", FailOnErrors(line));

        Assert.True(exitCode == 0, $"{line}\nended with {exitCode}: {output}");
        return output;
    }

    /// <summary>
    /// A line that listens: it must print what is put. A stream of one queue must end well when the queue is deleted; one of many goes on.
    /// </summary>
    private static async Task<string> ListenAsync(ServerProcess server, string folder, string line)
    {
        var queue = "/q/" + StreamPath().Match(line).Groups["queue"].Value;
        using var listener = ToolProcess.Start(folder, "bash", "-c", FailOnErrors(line));
        try
        {
            // A message that is put before the listener has joined waits for it. The header lets a listener with a filter hear it, too.
            using var message = new StringContent("listening");
            message.Headers.Add("PushQueue-Header-Tenant", "7");
            using var put = await server.Client.PostAsync(queue, message);
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
            if (ManyPath().IsMatch(line))
            {
                return shown;
            }

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

    /// <summary>The lines with the answers that the page shows for them; an empty one where it shows none.</summary>
    private static List<(string Line, string Answer)> CurlLines(string markdown)
    {
        var lines = new List<(string Line, string Answer)>();
        foreach (var block in ShellBlocks().Matches(markdown).Select(static block => block.Groups["text"].Value.Split('\n')))
        {
            var isAnswer = false;
            foreach (var line in block)
            {
                if (IsCurl(line))
                {
                    lines.Add((line, ""));
                    isAnswer = true;
                }
                else if (isAnswer && line.Length > 0 && !line.StartsWith('#') && !line.StartsWith("npx ", StringComparison.Ordinal))
                {
                    var (last, answer) = lines[^1];
                    lines[^1] = (last, answer.Length == 0 ? line : $"{answer}\n{line}");
                }
                else
                {
                    isAnswer = false;
                }
            }
        }

        return lines;
    }

    private static bool IsAnswer(string shown, string answer) => Regex.IsMatch(
        answer.Trim(), $"^{Regex.Escape(shown).Replace("…", ".*", StringComparison.Ordinal)}$", RegexOptions.None, TimeSpan.FromSeconds(1));

    private static bool IsCurl(string line) => line.StartsWith("curl ", StringComparison.Ordinal)
        || (line.StartsWith("printf ", StringComparison.Ordinal) && line.Contains("| curl ", StringComparison.Ordinal));

    [GeneratedRegex("^```sh\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ShellBlocks();

    [GeneratedRegex(@"/(c|sse)(/|\?queue=)(?<queue>[^\s'/?&]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex StreamPath();

    [GeneratedRegex(@"/(c|sse)\?", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ManyPath();
}
