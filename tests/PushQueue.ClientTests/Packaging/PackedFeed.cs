using System.Xml.Linq;
using PushQueue.ClientTests.Packaging;
using PushQueue.SystemTests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(PackedFeed))]

namespace PushQueue.ClientTests.Packaging;

/// <summary>A folder with all packages, as <c>dotnet pack</c> makes them of the repository, for the tests that need it.</summary>
public sealed class PackedFeed : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly TemporaryDirectory _folder = new();
    private readonly Lazy<Task<string>> _feed;

    public PackedFeed() => _feed = new Lazy<Task<string>>(PackAsync);

    /// <summary>The names of the packages, from their projects.</summary>
    internal static IReadOnlyList<string> Names { get; } =
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories)
            .Where(static path => !path.StartsWith(Repository.PathOf("artifacts"), StringComparison.Ordinal))
            .Select(static path => (Path: path, Project: XDocument.Load(path)))
            .Where(static project => (string?)project.Project.Descendants("IsPackable").FirstOrDefault() == "true")
            .Select(static project => (string?)project.Project.Descendants("PackageId").FirstOrDefault()
                ?? Path.GetFileNameWithoutExtension(project.Path))
            .Order(StringComparer.Ordinal)
    ];

    /// <summary>The folder with the packages.</summary>
    internal Task<string> PathAsync() => _feed.Value;

    /// <summary>
    /// Has a folder take PushQueue from the feed. It has a cache of packages of its own, so that an earlier run's package is not used.
    /// </summary>
    internal async Task UseInAsync(string folder) => await File.WriteAllTextAsync(Path.Combine(folder, "nuget.config"), $"""
        <configuration>
          <packageSources><add key="feed" value="{await PathAsync()}" /></packageSources>
          <config><add key="globalPackagesFolder" value="{Path.Combine(folder, "packages")}" /></config>
        </configuration>
        """);

    public void Dispose() => _folder.Dispose();

    private async Task<string> PackAsync()
    {
        var feed = Path.Combine(_folder.Path, "feed");
        var (exitCode, output) = await ToolProcess.RunAsync(
            Patience, Repository.Root, "dotnet", "pack", "PushQueue.sln", "-c", "Release", "-v", "quiet", "-o", feed);
        Assert.True(exitCode == 0, output);
        return feed;
    }
}
