using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Security;
using PushQueue.Tests.Support;
using PushQueue.Transports.Rest;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

/// <summary>Requests that browsers and caches make by themselves, for every route: no message is lost to them.</summary>
public sealed class BrowserRequestTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("Sec-Purpose", "prefetch")]
    [InlineData("Sec-Purpose", "prefetch;prerender")]
    [InlineData("Purpose", "prefetch")]
    [InlineData("X-Moz", "prefetch")]
    public async Task A_prefetch_takes_nothing(string header, string value)
    {
        foreach (var path in Takes())
        {
            await _server.PostAsync("/q/q", "\"x\"", "application/json");

            Assert.Equal(403, (await SendAsync("GET", path, (header, value))).Status);
            await AssertNothingTakenAsync();
        }
    }

    [Fact]
    public async Task A_page_load_gets_a_page_with_a_button_and_takes_nothing()
    {
        foreach (var path in Takes())
        {
            await _server.PostAsync("/q/q", "\"x\"", "application/json");

            var page = await SendAsync("GET", path, ("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate"));

            Assert.Equal((200, "text/html; charset=utf-8"), (page.Status, page.ContentType));
            Assert.Contains("nothing was taken", page.Text, StringComparison.Ordinal);
            Assert.Contains("<button", page.Text, StringComparison.Ordinal);
            Assert.Contains("script-src 'nonce-", page.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.Equal("no-store", page.Headers["Cache-Control"]);
            await AssertNothingTakenAsync();
        }
    }

    [Fact]
    public async Task A_script_of_the_page_takes_a_message()
    {
        await _server.PostAsync("/q/q", "x", "text/plain");

        Assert.Equal("x", (await SendAsync("GET", "/q/q", ("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Mode", "cors"))).Text);
    }

    [Fact]
    public async Task Every_answer_is_kept_out_of_caches_also_those_of_the_dialects()
    {
        var requests = Endpoints().SelectMany(static endpoint => endpoint.Metadata.GetMetadata<RouteAccess>()!.Rules
            .Where(static rule => rule.Method != HttpMethods.Connect)
            .Select(rule => (Method: rule.Method ?? "GET", Path: Path(endpoint))));
        foreach (var (method, path) in requests.Append(("PUT", "/q/q")).Append(("GET", "/restmq/q/q%FF")).Append(("GET", "/nowhere")))
        {
            // Streams do not end.
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            using var answer = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
            Assert.True(answer.Headers.CacheControl?.NoStore, $"{method} {path}: {answer.StatusCode} {answer.Headers.CacheControl}");
        }
    }

    [Fact]
    public async Task Head_is_answered_like_get_except_where_a_get_takes_or_copies_everything()
    {
        foreach (var (path, rule) in Gets())
        {
            await _server.PostAsync("/q/q?id=1", "\"x\"", "application/json");

            var head = await _server.SendAsync("HEAD", path);

            Assert.Equal("", head.Text);
            if (rule == AccessRule.Take || path == BackupEndpoint.Path)
            {
                Assert.Equal(405, head.Status);
                Assert.DoesNotContain("HEAD", head.Headers["Allow"], StringComparison.Ordinal);
                await AssertNothingTakenAsync();
                continue;
            }

            var get = await _server.GetAsync(path);
            Assert.Equal((get.Status, get.ContentType), (head.Status, head.ContentType));
        }
    }

    [Fact]
    public async Task Head_needs_the_permission_of_get()
    {
        using var keys = new KeyRing();
        var key = keys.Add(Permissions.Stats, "q");
        await using var server = await PushQueueServer.StartAsync(options => options.Security.AccessFile = keys.Path);

        Assert.Equal(401, (await server.SendAsync("HEAD", "/j/q")).Status);
        using var allowed = new HttpRequestMessage(HttpMethod.Head, "/j/q") { Headers = { { "Authorization", $"Bearer {key}" } } };
        Assert.Equal(404, (await server.SendAsync(allowed)).Status);
        using var forbidden = new HttpRequestMessage(
            HttpMethod.Head, "/q/q/messages") { Headers = { { "Authorization", $"Bearer {key}" } } };
        Assert.Equal(403, (await server.SendAsync(forbidden)).Status);
    }

    private async Task AssertNothingTakenAsync()
    {
        Assert.True((await _server.GetAsync("/j/q")).Json.GetProperty("ready").GetInt32() > 0);
        await _server.PostAsync("/q/q/purge");
    }

    private Task<Answer> SendAsync(string method, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return _server.SendAsync(request);
    }

    /// <summary>The address of every GET that takes messages, the dialects' too.</summary>
    private List<string> Takes() =>
    [
        .. from endpoint in Endpoints()
           from rule in endpoint.Metadata.GetMetadata<RouteAccess>()!.Rules
           where rule.Method == "GET" && rule.Rule.AnyOf == Permissions.Take
           let path = Path(endpoint)
           select rule.Rule.Scope == AccessScope.QueueInRequest ? $"{path}?queue=q" : path,
    ];

    /// <summary>Every GET of the native API that ends.</summary>
    private List<(string Path, AccessRule Rule)> Gets() =>
    [
        .. from endpoint in Endpoints()
           where endpoint.Metadata.GetMetadata<RouteMethods>() is not null
           from rule in endpoint.Metadata.GetMetadata<RouteAccess>()!.Rules
           where rule.Method == "GET"
           select (Path(endpoint), rule.Rule),
    ];

    private IEnumerable<RouteEndpoint> Endpoints() =>
        _server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(static endpoint => endpoint.Metadata.GetMetadata<RouteAccess>() is not null);

    private static string Path(RouteEndpoint endpoint) =>
        endpoint.RoutePattern.RawText!.Replace("{queue}", "q", StringComparison.Ordinal).Replace("{id}", "1", StringComparison.Ordinal);
}
