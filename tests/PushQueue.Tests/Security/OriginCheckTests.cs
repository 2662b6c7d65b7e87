using System.Net.WebSockets;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Security;

public sealed class OriginCheckTests : IAsyncLifetime
{
    private const string Friend = "https://friend.example";

    private PushQueueServer _server = null!;

    private string Own => _server.Address.GetLeftPart(UriPartial.Authority);

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync(options =>
    {
        options.Security.AllowedOrigins.Add(Friend);
        options.Security.AllowedOrigins.Add("https://*.friends.example");
        options.Security.AllowedOrigins.Add("null");
        options.Security.AllowedHosts.Add("queue.example");
        options.Security.AllowedHosts.Add("tls.example:443");
        options.Security.AllowedHosts.Add("port.example:8443");
    });

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("POST", "/q/test")]
    [InlineData("GET", "/q/test")]
    [InlineData("GET", "/c/test")]
    [InlineData("GET", "/sse/test")]
    [InlineData("GET", "/ws/test")]
    [InlineData("GET", "/ws")]
    [InlineData("POST", "/hub/negotiate")]
    [InlineData("GET", "/hub")]
    [InlineData("POST", "/queue")]
    [InlineData("GET", "/nothing")]
    public async Task A_page_of_another_origin_is_refused_everywhere(string method, string path)
    {
        var answer = await SendAsync(method, path, ("Origin", "https://evil.example"));

        Assert.Equal((403, "forbidden-origin"), (answer.Status, answer.Problem));
        Assert.False(answer.Headers.ContainsKey("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("Origin", "null", 204)]
    [InlineData("Origin", "https://a.friends.example", 204)]
    [InlineData("Origin", "https://a.b.friends.example", 204)]
    [InlineData("Origin", "https://friends.example", 403)]
    [InlineData("Origin", "http://a.friends.example", 403)]
    [InlineData("Origin", "https://a.friends.example:8443", 403)]
    [InlineData("Origin", "https://afriends.example", 403)]
    [InlineData("Host", "tls.example", 204)]
    [InlineData("Host", "tls.example:443", 204)]
    [InlineData("Host", "port.example", 403)]
    [InlineData("Host", "port.example:8443", 204)]
    [InlineData("Origin", Friend, 204)]
    [InlineData("Origin", "http://friend.example", 403)]
    [InlineData("Origin", "https://friend.example.evil.example", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-origin", 204)]
    [InlineData("Sec-Fetch-Site", "none", 204)]
    [InlineData("Referer", "http://evil.example/page", 403)]
    [InlineData("Referer", Friend + "/page", 204)]
    [InlineData("Host", "rebound.example", 403)]
    [InlineData("Host", "127.0.0.1.evil.example:80", 403)]
    [InlineData("Host", "queue.example:8080", 204)]
    [InlineData("Host", "LOCALHOST:1", 204)]
    [InlineData("Host", "127.1.2.3", 204)]
    [InlineData("Host", "[::1]:8080", 204)]
    public async Task What_a_browser_says_of_a_request_decides(string header, string value, int status) =>
        Assert.Equal(status, (await SendAsync("GET", "/q/test", (header, value))).Status);

    [Fact]
    public async Task Its_own_pages_and_clients_that_are_no_browsers_may_do_all()
    {
        Assert.Equal(201, (await SendAsync("POST", "/q/test", ("Origin", Own), ("Sec-Fetch-Site", "same-origin"))).Status);
        Assert.Equal(201, (await SendAsync("POST", "/q/test")).Status);
    }

    [Theory]
    [InlineData("localhost:80", "http://localhost", 204)]
    [InlineData("localhost", "http://localhost:80", 204)]
    [InlineData("localhost:8080", "http://localhost", 403)]
    [InlineData("localhost", "https://localhost", 403)]
    public async Task A_default_port_is_equal_to_none(string host, string origin, int status)
    {
        Assert.Equal(status, (await SendAsync("GET", "/q/test", ("Host", host), ("Origin", origin))).Status);
        if (origin.StartsWith("http:", StringComparison.Ordinal))
        {
            Assert.Equal(status, (await SendAsync("GET", "/q/test", ("Host", host), ("Referer", origin + "/page"))).Status);
        }
    }

    [Fact]
    public async Task A_refused_pages_request_has_no_effect()
    {
        Assert.Equal(403, (await SendAsync("POST", "/q/test", ("Origin", "https://evil.example"))).Status);

        Assert.Equal(204, (await SendAsync("GET", "/q/test")).Status);
    }

    [Theory]
    [InlineData(null, 403)]
    [InlineData("Referer: http://queue.example/page", 200)]
    [InlineData("Sec-Fetch-Site: same-origin", 200)]
    public async Task An_answer_in_script_goes_only_to_a_page_that_is_known_to_be_allowed(string? header, int status)
    {
        (string, string)[] more = header?.Split(": ") is [var name, var value] ? [(name, value)] : [];

        Assert.Equal(status, (await SendAsync("GET", "/restmq/stats/test?callback=show", [("Host", "queue.example"), .. more])).Status);
        Assert.Equal(200, (await SendAsync("GET", "/restmq/stats/test?callback=show")).Status);
    }

    [Fact]
    public async Task An_allowed_page_gets_the_headers_that_it_needs()
    {
        var preflight = await SendAsync(
            "OPTIONS", "/q/test", ("Origin", Friend), ("Access-Control-Request-Method", "POST"),
                ("Access-Control-Request-Headers", "content-type"));
        var stream = new HttpRequestMessage(HttpMethod.Get, "/sse/test");
        stream.Headers.Add("Origin", Friend);
        using var events = await _server.Client.SendAsync(stream, HttpCompletionOption.ResponseHeadersRead).WithTimeout();

        Assert.Equal((204, Friend), (preflight.Status, preflight.Headers["Access-Control-Allow-Origin"]));
        Assert.Contains("POST", preflight.Headers["Access-Control-Allow-Methods"], StringComparison.Ordinal);
        Assert.Equal("content-type", preflight.Headers["Access-Control-Allow-Headers"]);
        Assert.Equal([Friend], events.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(405, (await SendAsync("OPTIONS", "/q/test")).Status);
    }

    [Theory]
    [InlineData("/ws/test")]
    [InlineData("/hub")]
    public async Task A_socket_of_another_page_is_refused(string path)
    {
        using var evil = new ClientWebSocket();
        evil.Options.SetRequestHeader("Origin", "https://evil.example");
        using var friend = new ClientWebSocket();
        friend.Options.SetRequestHeader("Origin", Friend);
        var address = new Uri($"ws://{_server.Address.Authority}{path}");

        await Assert.ThrowsAsync<WebSocketException>(() => evil.ConnectAsync(address, CancellationToken.None).WithTimeout());
        await friend.ConnectAsync(address, CancellationToken.None).WithTimeout();
    }

    [Fact]
    public async Task All_pages_may_where_that_was_said_and_nonsense_is_refused_at_the_start()
    {
        await using var open = await PushQueueServer.StartAsync(options => options.Security.AllowedOrigins.Add("*"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/q/test");
        request.Headers.Add("Origin", "https://any.example");
        var options = new PushQueueOptions();
        options.Security.AllowedOrigins.Add("app.example");

        var answer = await open.SendAsync(request);

        Assert.Equal((204, "https://any.example"), (answer.Status, answer.Headers["Access-Control-Allow-Origin"]));
        Assert.Equal("true", answer.Headers["Access-Control-Allow-Credentials"]);
        Assert.Contains("--allow-origin", Assert.Single(options.Validate()), StringComparison.Ordinal);
    }

    private async Task<Answer> SendAsync(string method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await _server.SendAsync(request);
    }
}
