using System.Text.RegularExpressions;
using Xunit;

namespace PushQueue.Tests.Architecture;

/// <summary>Keeps the layers of docs/ARCHITECTURE.md: dependencies point one way.</summary>
public sealed partial class DependencyTests
{
    private static readonly Dictionary<string, string[]> MayUse = new(StringComparer.Ordinal)
    {
        ["Queues"] = [],
        ["Storage"] = ["Queues"],
        ["Delivery"] = ["Queues"],
        ["Transports"] = ["Queues", "Delivery", "Diagnostics", "Security"],
        ["Dialects"] = ["Queues", "Delivery", "Transports", "Diagnostics", "Security"],
        ["Diagnostics"] = ["Queues", "Delivery"],
        ["Security"] = ["Queues"],
        ["Hosting"] = ["Queues", "Delivery", "Diagnostics", "Security"],
    };

    [Fact]
    public void Folders_use_only_the_layers_below_them()
    {
        var library = Path.Combine(RepositoryRoot(), "server", "PushQueue");

        var breaches = new List<string>();
        foreach (var (folder, allowed) in MayUse)
        {
            var path = Path.Combine(library, folder);
            if (!Directory.Exists(path))
            {
                continue;
            }

            foreach (var file in Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories))
            {
                var used = UsingLine().Matches(File.ReadAllText(file)).Select(match => match.Groups["layer"].Value);
                breaches.AddRange(used
                    .Where(layer => layer != folder && !allowed.Contains(layer))
                    .Select(
                        layer =>
                            $"{Path.GetRelativePath(library, file)} uses PushQueue.{layer}, but {folder} may use only: {string.Join(", ", allowed)}"));
            }
        }

        Assert.True(breaches.Count == 0, string.Join('\n', breaches));
    }

    [Fact]
    public void Queues_knows_neither_web_nor_disk()
    {
        var folder = Path.Combine(RepositoryRoot(), "server", "PushQueue", "Queues");

        var breaches = Directory.EnumerateFiles(folder, "*.cs")
            .Where(file => File.ReadAllText(file) is var text
                && (
                    text.Contains("using Microsoft.AspNetCore", StringComparison.Ordinal)
                        || text.Contains("using System.IO", StringComparison.Ordinal)))
            .Select(Path.GetFileName);

        Assert.Empty(breaches);
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "PushQueue.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("The tests run outside the repository.");
    }

    [
        GeneratedRegex(
            @"^using (?:static )?PushQueue\.(?<layer>\w+)",
            RegexOptions.Multiline | RegexOptions.ExplicitCapture,
            matchTimeoutMilliseconds: 1000)
    ]
    private static partial Regex UsingLine();
}
