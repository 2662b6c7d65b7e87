using System.Text.RegularExpressions;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Examples;

/// <summary>
/// Runs the example on real text: REST on one side, curl, a WebSocket, the JavaScript and the .NET SignalR client on the other.
/// </summary>
public sealed partial class WordCountTests
{
    private const string Licences = "/usr/share/common-licenses";

    // Without a wait for the disk after each line; what the disk takes is no matter of this test.
    private const string Durability = "interval:50ms";

    private static readonly string Example = Repository.PathOf("examples", "wordcount");

    [Fact]
    public async Task Broadcast_gives_each_consumer_every_line_once_and_in_order()
    {
        var (lines, consumers) = await CountAsync("broadcast");

        Assert.All(consumers, consumer => Assert.Equal(lines, consumer));
    }

    [Fact]
    public async Task Roundrobin_gives_each_line_to_one_consumer()
    {
        var (lines, consumers) = await CountAsync("roundrobin");

        Assert.Equal(lines, consumers.Sum());
        Assert.All(consumers, consumer => Assert.NotEqual(0, consumer));
    }

    /// <summary>The number of lines, and how many each consumer got, once the example has said that all agree.</summary>
    private static async Task<(int Lines, int[] Consumers)> CountAsync(string policy)
    {
        if (await WhyNotAsync() is { } whyNot)
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", whyNot);
            Assert.Fail(whyNot);
        }

        using var data = new TemporaryDirectory();
        using var ownText = new TemporaryDirectory();
        await using var server = await ServerProcess.StartAsync(data.Path, "--durability", Durability);

        var (exitCode, output) = await ToolProcess.RunAsync(
            TimeSpan.FromMinutes(2),
            Example,
            "node",
            "wordcount.mjs",
            "--server", server.Address.AbsoluteUri,
            "--folder", Directory.Exists(Licences) ? Licences : WriteText(ownText.Path),
            "--policy", policy,
            "--dotnet-consumer", DotNetConsumer());

        Assert.True(exitCode == 0, output);
        var counts = Counts().Matches(output).Select(match => int.Parse(match.Groups["lines"].Value)).ToArray();
        Assert.True(counts.Length == 5, output);
        return (counts[^1], counts[..^1]);
    }

    private static async Task<string?> WhyNotAsync()
    {
        foreach (var tool in (string[])["node", "curl", "wc"])
        {
            if (!await ToolProcess.ExistsAsync(tool))
            {
                return $"{tool} is missing; the example needs it.";
            }
        }

        return Directory.Exists(Path.Combine(Example, "node_modules"))
            ? null
            : "Run npm ci in examples/wordcount first, as ./test.sh does.";
    }

    /// <summary>Built next to the tests, in the same configuration.</summary>
    private static string DotNetConsumer()
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(own.Parent!.Parent!.FullName, "DotNetConsumer", own.Name, "DotNetConsumer.dll");
    }

    /// <summary>Three files with what texts have: blank lines, indents, quotes, tabs, umlauts, and a last line without an end.</summary>
    private static string WriteText(string folder)
    {
        foreach (var name in (string[])["one", "two", "three"])
        {
            var lines = Enumerable.Range(1, 500).Select(number => (number % 5) switch
            {
                0 => "",
                1 => $"    {number}. The \"licence\" of {name}\tgoes on,",
                2 => @"with \ and / and {braces}, and   wide   gaps",
                3 => "Grüße aus Köln – ¡hola! 你好 🙂",
                _ => $"paragraph {number} ends.  ",
            });
            File.WriteAllText(Path.Combine(folder, name), string.Join('\n', lines));
        }

        return folder;
    }

    [GeneratedRegex(@"^(curl|WebSocket|SignalR|wc -w)\D*?(?<lines>\d+) ", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Counts();
}
