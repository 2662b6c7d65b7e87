using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Operations;

public sealed class OpenApiDocumentTests : IDisposable
{
    private readonly TemporaryDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_validator_finds_nothing_wrong_with_the_document()
    {
        await using var server = await ServerProcess.StartAsync(_data.Path);

        var (exitCode, output) = await ToolProcess.RunAsync(
            TimeSpan.FromSeconds(60), Repository.PathOf("tests", "openapi"), "node", "check.mjs", new Uri(
                server.Address,
                "/openapi/v1.json").ToString());

        Assert.True(exitCode == 0, output);
        Assert.Contains("valid 3.1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_that_renders_the_document_links_to_it_and_loads_nothing_from_elsewhere()
    {
        await using var server = await ServerProcess.StartAsync(_data.Path);

        using var page = await server.Client.GetAsync("/reference.html");
        var html = await page.Content.ReadAsStringAsync();
        var script = await server.Client.GetStringAsync("/reference.js");

        Assert.Contains("href=\"openapi/v1.json\"", html, StringComparison.Ordinal);
        Assert.StartsWith("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("://", html, StringComparison.Ordinal);
        Assert.DoesNotContain("://", script, StringComparison.Ordinal);
    }
}
