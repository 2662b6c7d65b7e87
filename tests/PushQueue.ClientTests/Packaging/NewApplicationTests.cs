using System.Diagnostics;
using System.Text.RegularExpressions;
using PushQueue.ClientTests.Support;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Packaging;

/// <summary>The new applications of docs/application.md, made from an empty folder in the words of the page, from the packages.</summary>
[Trait("Category", "Packaging")]
public sealed partial class NewApplicationTests(PackedFeed feed)
{
    private const string Address = "http://127.0.0.1:8080";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_web_application_and_a_console_application_of_the_page_handle_a_message()
    {
        using var folder = new TemporaryDirectory();
        await feed.UseInAsync(folder.Path);
        await MakeAsync(folder.Path, "web", "shop");
        await MakeAsync(folder.Path, "console", "till");
        await RunAsync(folder.Path, "dotnet build shop && dotnet build till");

        using var web = Start(folder.Path, Block("run-web").Replace(Address, "http://127.0.0.1:0", StringComparison.Ordinal));
        try
        {
            var address = (await LineAsync(web, "Now listening on: ")).Trim();
            var program = Path.Combine(folder.Path, "till", "Program.cs");
            await File.WriteAllTextAsync(program, Block("till/Program.cs").Replace(Address, address, StringComparison.Ordinal));
            var output = await RunAsync(folder.Path, Block("run-console"));
            Assert.Contains("The order is on its way.", output, StringComparison.Ordinal);
            Assert.Equal("", await LineAsync(web, "tea is sent to ann"));

            using var http = new HttpClient();
            Assert.Contains("<title>PushQueue</title>", await http.GetStringAsync($"{address}/queues/"), StringComparison.Ordinal);
        }
        finally
        {
            web.Kill(entireProcessTree: true);
            await web.WaitForExitAsync().WithTimeout();
        }
    }

    /// <summary>Runs the commands of the page that make an application, and replaces its program by that of the page.</summary>
    private static async Task MakeAsync(string folder, string commands, string project)
    {
        await RunAsync(folder, Block(commands));
        await File.WriteAllTextAsync(Path.Combine(folder, project, "Program.cs"), Block($"{project}/Program.cs"));
    }

    /// <summary>The code block of the page that has this name.</summary>
    private static string Block(string name)
    {
        var page = File.ReadAllText(Repository.PathOf("docs", "application.md"));
        var block = Blocks().Matches(page).SingleOrDefault(block => block.Groups["name"].Value == name);
        Assert.True(block is not null, $"docs/application.md has no code block with name={name}.");
        return block.Groups["code"].Value;
    }

    [GeneratedRegex("^```[a-z]+ name=(?<name>[^\n]+)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline, 5000)]
    private static partial Regex Blocks();

    private static async Task<string> RunAsync(string folder, string commands)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(Patience, folder, "bash", "-ec", commands);
        Assert.True(exitCode == 0, $"{commands}\nended with {exitCode}: {output}");
        return output;
    }

    private static Process Start(string folder, string command) => ToolProcess.Start(folder, "bash", "-c", "exec " + command);

    /// <summary>The rest of the next line that contains a text.</summary>
    private static async Task<string> LineAsync(Process process, string text)
    {
        var seen = new List<string>();
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2)) is { } line)
        {
            seen.Add(line);
            var at = line.IndexOf(text, StringComparison.Ordinal);
            if (at >= 0)
            {
                return line[(at + text.Length)..];
            }
        }

        throw new InvalidOperationException($"The application ended without '{text}': {string.Join('\n', seen)}");
    }
}
