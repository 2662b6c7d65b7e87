using System.IO.Compression;
using System.Xml.Linq;
using Xunit;

namespace PushQueue.ClientTests.Packaging;

/// <summary>The content of packages for the page of a registry, for editors and for debuggers.</summary>
[Trait("Category", "Packaging")]
public sealed class PackageContentTests(PackedFeed feed)
{
    private const string ToolType = "DotnetTool";

    public static TheoryData<string> Packages { get; } = [.. PackedFeed.Names];

    [Fact]
    public async Task There_is_a_package_for_each_library_and_for_the_tool_and_no_other()
    {
        string[] expected =
        [
            "PushQueue", "PushQueue.Abstractions", "PushQueue.Cli", "PushQueue.Client", "PushQueue.EntityFrameworkCore",
            "PushQueue.Testing",
        ];
        var made = Directory.EnumerateFiles(await feed.PathAsync(), "*.nupkg").Select(static path => Path.GetFileName(path)).ToList();

        Assert.Equal(PackedFeed.Names.Count, made.Count);
        Assert.All(expected, name => Assert.Contains(name, PackedFeed.Names));
        Assert.All(PackedFeed.Names, name => Assert.Single(made, file => IsOf(file, name)));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task A_package_says_what_it_is_and_has_its_texts_documentation_and_symbols(string package)
    {
        await using var archive = await OpenAsync(package, ".nupkg");
        var names = archive.Entries.Select(static entry => entry.FullName).ToList();
        var nuspec = await NuspecAsync(archive);

        foreach (var field in (string[])["id", "version", "title", "authors", "description", "tags", "copyright"])
        {
            Assert.True(Field(nuspec, field) is { Length: > 0 } text && text != "Package Description", $"{package} has no {field}.");
        }

        Assert.Equal(("MIT", "expression"), (Field(nuspec, "license"), (string?)Element(nuspec, "license")!.Attribute("type")));
        var icon = await ReadAsync(archive, Field(nuspec, "icon")!);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], icon[..4]);
        Assert.StartsWith("# ", await ReadTextAsync(archive, Field(nuspec, "readme")!), StringComparison.Ordinal);
        if (Element(nuspec, "packageType") is { } type && (string?)type.Attribute("name") == ToolType)
        {
            Assert.Contains(names, static name => name.EndsWith("/pushqueue.dll", StringComparison.Ordinal));
            return;
        }

        var libraries = names.Where(static name => name.StartsWith("lib/", StringComparison.Ordinal))
            .Where(static name => name.EndsWith(".dll", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(libraries);
        await using var symbols = await OpenAsync(package, ".snupkg");
        var symbolNames = symbols.Entries.Select(static entry => entry.FullName).ToList();
        foreach (var library in libraries)
        {
            var documentation = XDocument.Parse(await ReadTextAsync(archive, Path.ChangeExtension(library, ".xml")));
            Assert.NotEmpty(documentation.Descendants("summary"));
            Assert.Contains(Path.ChangeExtension(library, ".pdb"), symbolNames);
        }
    }

    [Fact]
    public async Task Packages_depend_on_each_other_by_their_own_version_and_the_client_needs_no_web_server()
    {
        foreach (var package in PackedFeed.Names)
        {
            await using var archive = await OpenAsync(package, ".nupkg");
            var nuspec = await NuspecAsync(archive);
            var own = nuspec.Descendants().Where(static element => element.Name.LocalName == "dependency"
                && ((string)element.Attribute("id")!).StartsWith("PushQueue", StringComparison.Ordinal));
            Assert.All(own, dependency =>
            {
                Assert.Contains((string)dependency.Attribute("id")!, PackedFeed.Names);
                Assert.Equal(Field(nuspec, "version"), (string?)dependency.Attribute("version"));
            });
            if (package is "PushQueue.Abstractions" or "PushQueue.Client")
            {
                Assert.DoesNotContain(nuspec.Descendants(), static element => element.Name.LocalName == "frameworkReference");
            }
        }
    }

    /// <summary>Whether a file is a package of this name, not of a longer one.</summary>
    private static bool IsOf(string file, string package) =>
        file.StartsWith(package + ".", StringComparison.Ordinal) && char.IsAsciiDigit(file[package.Length + 1]);

    private static XElement? Element(XDocument nuspec, string name) =>
        nuspec.Descendants().FirstOrDefault(element => element.Name.LocalName == name);

    private static string? Field(XDocument nuspec, string name) => (string?)Element(nuspec, name);

    private static async Task<XDocument> NuspecAsync(ZipArchive archive)
    {
        var entry = Assert.Single(archive.Entries, static entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal));
        return XDocument.Parse(await ReadTextAsync(archive, entry.FullName));
    }

    private static async Task<string> ReadTextAsync(ZipArchive archive, string name) =>
        System.Text.Encoding.UTF8.GetString(await ReadAsync(archive, name)).TrimStart('\uFEFF');

    private static async Task<byte[]> ReadAsync(ZipArchive archive, string name)
    {
        var entry = archive.GetEntry(name);
        Assert.True(entry is not null, $"The package lacks {name}.");
        await using var stream = await entry.OpenAsync();
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private async Task<ZipArchive> OpenAsync(string package, string extension)
    {
        var path = Directory.EnumerateFiles(await feed.PathAsync(), "*" + extension)
            .Single(path => IsOf(Path.GetFileName(path), package));
        return await ZipFile.OpenReadAsync(path);
    }
}
