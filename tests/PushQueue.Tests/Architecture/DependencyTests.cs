using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Architecture;

/// <summary>Keeps the layers of docs/ARCHITECTURE.md: dependencies point one way, subfolders included.</summary>
public sealed class DependencyTests
{
    /// <summary>The top folders and those that each may use. The library's root puts all together.</summary>
    private static readonly SortedDictionary<string, string[]> MayUse = new(StringComparer.Ordinal)
    {
        ["Delivery"] = ["Queues"],
        ["Diagnostics"] = ["Delivery", "Queues"],
        ["Dashboard"] = [],
        ["Dialects"] = ["Delivery", "Diagnostics", "Queues", "Security", "Transports"],
        ["Hosting"] = ["Delivery", "Diagnostics", "Queues", "Security"],
        ["InProcess"] = ["Delivery", "Diagnostics", "Queues", "Security", "Transports"],
        ["Queues"] = [],
        ["Security"] = ["Queues"],
        ["Storage"] = ["Queues"],
        ["Transports"] = ["Delivery", "Diagnostics", "Queues", "Security"],
    };

    private static readonly TypeGraph Graph = TypeGraph.OfLibrary();

    [Fact]
    public void Folders_use_only_the_layers_below_them()
    {
        var breaches = Graph.FolderUses()
            .Where(static use => !IsAllowed(Top(use.Key.From), Top(use.Key.To)))
            .Select(static use => $"{use.Key.From} may not use {use.Key.To}: {use.Value}");

        Assert.Empty(breaches);
    }

    [Fact]
    public void No_folders_use_each_other()
    {
        var uses = Graph.FolderUses();

        var circles = FolderCircles.Find(uses.Keys);

        Assert.True(circles.Count == 0, string.Join("\n\n", circles.Select(circle => Describe(circle, uses))));
    }

    [Fact]
    public void The_architecture_page_has_the_table_of_these_tests()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "ARCHITECTURE.md"));

        Assert.All(MayUse, layer =>
        {
            var used = layer.Value.Length == 0 ? "nothing" : string.Join(", ", layer.Value.Select(static folder => $"`{folder}`"));
            Assert.Contains(
                page.Split('\n'),
                line => line.StartsWith($"| `{layer.Key}/` |", StringComparison.Ordinal)
                    && line.EndsWith($"| {used} |", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Queues_knows_neither_web_nor_disk()
    {
        var folder = Path.Combine(RepositoryRoot.Path, "server", "PushQueue", "Queues");

        var breaches = Directory.EnumerateFiles(folder, "*.cs")
            .Where(file => File.ReadAllText(file) is var text
                && (text.Contains("using Microsoft.AspNetCore", StringComparison.Ordinal)
                    || text.Contains("using System.IO", StringComparison.Ordinal)))
            .Select(Path.GetFileName);

        Assert.Empty(breaches);
    }

    private static bool IsAllowed(string from, string to) =>
        from == to || from.Length == 0 || (MayUse.TryGetValue(from, out var may) && may.Contains(to));

    private static string Top(string folder) => folder.Split('/')[0];

    private static string Describe(IReadOnlyList<string> circle, SortedDictionary<(string From, string To), string> uses) =>
        $"\"{string.Join(' ', circle)}\"\n"
        + string.Join(
            '\n',
            uses.Where(use => circle.Contains(use.Key.From) && circle.Contains(use.Key.To)).Select(static use => "  " + use.Value));
}
