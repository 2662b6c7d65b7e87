using System.Net;
using System.Text.RegularExpressions;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Operations;

[Trait("Category", "Packaging")]
public sealed partial class PublishTests : IDisposable
{
    private static readonly TimeSpan BuildTimeout = TimeSpan.FromMinutes(10);

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_published_server_is_one_file_that_runs_from_an_empty_folder()
    {
        var published = Path.Combine(_folder.Path, "published");
        var empty = Directory.CreateDirectory(Path.Combine(_folder.Path, "empty")).FullName;
        var (exitCode, output) = await ToolProcess.RunAsync(
            BuildTimeout,
            Repository.Root,
            Repository.PathOf("packaging", "publish.sh"),
            published);
        Assert.True(exitCode == 0, output);
        Assert.Equal(["PushQueue.Server"], Directory.EnumerateFileSystemEntries(published).Select(Path.GetFileName));
        File.Move(Path.Combine(published, "PushQueue.Server"), Path.Combine(empty, "PushQueue.Server"));

        using var server = ToolProcess.Start(empty, Path.Combine(empty, "PushQueue.Server"), "--port", "0");
        try
        {
            var line = await server.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
            using var client = new HttpClient { BaseAddress = new Uri(Url().Match(line!).Value) };

            using var put = await client.PostAsync("/q/test", new StringContent("x"));
            using var page = await client.GetAsync("/");
            using var script = await client.GetAsync("/reference.js");

            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
            Assert.Equal("x", await client.GetStringAsync("/q/test"));
            Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
            Assert.Contains("<title>PushQueue", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, script.StatusCode);
            Assert.Equal(
                "application/problem+json",
                (await client.GetAsync("/../appsettings.json")).Content.Headers.ContentType?.MediaType);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task The_unit_is_one_that_systemd_accepts()
    {
        if (!await ToolProcess.ExistsAsync("systemd-analyze"))
        {
            Assert.Skip("There is no systemd on this machine.");
        }

        var unit = Path.Combine(_folder.Path, "pushqueue.service");
        var text = await File.ReadAllTextAsync(Repository.PathOf("packaging", "pushqueue.service"));

        // The program need not be installed to read the unit.
        await File.WriteAllTextAsync(unit, text.Replace("/opt/pushqueue/PushQueue.Server", "/bin/true", StringComparison.Ordinal));
        var (exitCode, output) = await ToolProcess.RunAsync(TimeSpan.FromSeconds(60), _folder.Path, "systemd-analyze", "verify", unit);

        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("Unknown", output, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"http://[0-9.:]+\d", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Url();
}
