using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

public sealed class AccessFileTests : IAsyncLifetime
{
    private const string Form = "application/x-www-form-urlencoded";

    private readonly TemporaryDirectory _directory = new();
    private PushQueueServer? _server;

    private string FilePath => Path.Combine(_directory.Path, "acl.ini");

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _directory.Dispose();
    }

    [Theory]
    [InlineData("", 204)]
    [InlineData("hosts_allow = all", 204)]
    [InlineData("hosts_allow = 10. 127.0.", 204)]
    [InlineData("hosts_allow = 10.", 401)]
    [InlineData("hosts_deny = 127.0.0.1", 401)]
    [InlineData("hosts_deny = all", 401)]
    [InlineData("hosts_deny = 10.", 204)]
    [InlineData("hosts_allow = 10.\nhosts_deny = 11.", 204)]
    [InlineData("hosts_allow = 10.\nhosts_deny = 127.", 401)]
    [InlineData("hosts_allow = 127.\nhosts_deny = all", 204)]
    [InlineData("HOSTS_ALLOW=10.", 401)]
    public async Task Addresses_are_allowed_and_denied_by_their_beginnings(string rules, int status)
    {
        await StartAsync("# comment\n\n[rest:consumer]\r\n" + rules + "\n");

        var answer = await _server!.GetAsync("/restmq/q/test");

        Assert.Equal(status, answer.Status);
        Assert.False(answer.Headers.ContainsKey("WWW-Authenticate"));
        Assert.Equal(200, (await PutAsync()).Status);
        Assert.Equal(200, (await _server.GetAsync("/q/test")).Status);
    }

    [Theory]
    [InlineData("rest:producer", "POST", "/")]
    [InlineData("rest:producer", "POST", "/q/test")]
    [InlineData("rest:producer", "DELETE", "/q/test")]
    [InlineData("rest:producer", "POST", "/p/test")]
    [InlineData("rest:producer", "POST", "/control/test")]
    [InlineData("rest:producer", "POST", "/queue")]
    [InlineData("rest:producer", "POST", "/xmlrpc")]
    [InlineData("rest:producer", "POST", "/collectd/data")]
    [InlineData("rest:producer", "POST", "/collectd/event")]
    [InlineData("comet:consumer", "GET", "/c/test")]
    [InlineData("comet:consumer", "GET", "/sse/test")]
    [InlineData("websocket:consumer", "GET", "/ws/test")]
    [InlineData("rest:consumer", "GET", "/")]
    [InlineData("rest:consumer", "GET", "/q/")]
    [InlineData("rest:consumer", "GET", "/q/test")]
    [InlineData("rest:consumer", "GET", "/p/test")]
    [InlineData("rest:consumer", "GET", "/control/")]
    [InlineData("rest:consumer", "GET", "/control/test")]
    [InlineData("rest:consumer", "GET", "/stats/")]
    [InlineData("rest:consumer", "GET", "/stats/test")]
    [InlineData("rest:consumer", "GET", "/j/test")]
    [InlineData("rest:consumer", "GET", "/queue")]
    public async Task Each_route_asks_its_own_section(string section, string method, string path)
    {
        await StartAsync($"[{section}]\nhosts_deny = all\n");
        Assert.Equal(401, (await SendAsync(method, path)).Status);

        var others = new[] { "rest:producer", "rest:consumer", "comet:consumer", "websocket:consumer" }.Where(other => other != section);
        await WriteAsync(string.Concat(others.Select(other => $"[{other}]\nhosts_deny = all\n")));
        Assert.NotEqual(401, (await SendAsync(method, path)).Status);
    }

    [Fact]
    public async Task A_password_is_asked_for_by_Basic()
    {
        await StartAsync("[rest:producer]\nusername = me\npassword = a:b # c = ü\n");

        foreach (var credentials in (string?[])[null, "me:wrong", "you:a:b # c = ü", "me", "", "*"])
        {
            var refused = await PutAsync(credentials);
            Assert.Equal(401, refused.Status);
            Assert.StartsWith("Basic", refused.Headers["WWW-Authenticate"], StringComparison.Ordinal);
        }

        Assert.Equal(204, (await _server!.GetAsync("/restmq/q/test")).Status);
        Assert.Equal(200, (await PutAsync("me:a:b # c = ü")).Status);
    }

    [Fact]
    public async Task A_websocket_brings_its_password_in_a_cookie()
    {
        await StartAsync("[websocket:consumer]\nusername = me\npassword = secret\n");
        var address = new UriBuilder(new Uri(_server!.Address, "/restmq/ws/test")) { Scheme = "ws" }.Uri;

        foreach (var cookie in (string?[])[null, "auth=me:wrong", "other=me:secret"])
        {
            using var refused = new ClientWebSocket();
            refused.Options.SetRequestHeader("Cookie", cookie);
            refused.Options.CollectHttpResponseDetails = true;
            await Assert.ThrowsAsync<WebSocketException>(() => refused.ConnectAsync(address, CancellationToken.None)).WithTimeout();
            Assert.Equal(401, (int)refused.HttpStatusCode);
        }

        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Cookie", "auth=me:secret");
        await socket.ConnectAsync(address, CancellationToken.None).WithTimeout();
        await socket.SendAsync("hello");
        Assert.Equal("hello", await socket.NextAsync());
    }

    [Fact]
    public async Task A_changed_file_is_in_force_at_once_and_a_bad_edit_keeps_the_old_rules()
    {
        await StartAsync("[rest:consumer]\nhosts_deny = all\n");
        Assert.Equal(401, (await _server!.GetAsync("/restmq/q/test")).Status);

        foreach (var bad in (string[])["", "[rest:consumers]\n", "[rest:consumer]\nhosts_deny = nobody\n"])
        {
            await WriteAsync(bad);
            Assert.Equal(401, (await _server.GetAsync("/restmq/q/test")).Status);
        }

        File.Delete(FilePath);
        Assert.Equal(401, (await _server.GetAsync("/restmq/q/test")).Status);
        Assert.Equal(4, _server.Log.Entries.Count(entry => entry.Text.Contains("former rules", StringComparison.Ordinal)));

        await WriteAsync("[rest:consumer]\nhosts_allow = all\n");
        Assert.Equal(204, (await _server.GetAsync("/restmq/q/test")).Status);
    }

    [Theory]
    [InlineData("", "no section")]
    [InlineData("# nothing", "no section")]
    [InlineData("hosts_allow = all", "line 1")]
    [InlineData("[rest:consumer", "line 1")]
    [InlineData("\n[rest:everyone]", "line 2")]
    [InlineData("[rest:consumer]\n[rest:consumer]", "line 2")]
    [InlineData("[rest:consumer]\nhosts_allow", "line 2")]
    [InlineData("[rest:consumer]\nhosts_allowed = all", "line 2")]
    [InlineData("[rest:consumer]\nhosts_allow =", "line 2")]
    [InlineData("[rest:consumer]\nhosts_allow = 10.\nhosts_allow = 11.", "line 3")]
    [InlineData("[rest:consumer]\nhosts_allow = 10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("[rest:consumer]\nhosts_allow = localhost", "localhost")]
    [InlineData("[rest:consumer]\nhosts_allow = 10.,11.", "10.,11.")]
    [InlineData("[rest:consumer]\nhosts_allow = 10. # office", "'#'")]
    [InlineData("[rest:consumer]\nusername = me", "password")]
    [InlineData("[rest:consumer]\npassword = secret", "username")]
    [InlineData("[rest:consumer]\nusername = me:you\npassword = secret", "username")]
    [InlineData("[rest:consumer]\nusername =\npassword = secret", "line 2")]
    [InlineData("[]", "line 1")]
    [InlineData("[rest:consumer] # comment", "line 1")]
    [InlineData("[REST:CONSUMER]", "line 1")]
    [InlineData("[rest:consumer]\n= all", "line 2")]
    [InlineData("[rest:consumer]\nhosts_allow : all", "line 2")]
    [InlineData("[rest:consumer]\nhosts_deny = ALL", "ALL")]
    [InlineData("[rest:consumer]\nhosts_deny = *", "'*'")]
    [InlineData("[rest:consumer]\nhosts_deny = 10. all,", "all,")]
    [InlineData("[rest:consumer]\nhosts_allow = ten\n[rest:everyone]\nsome = thing", "line 4")]
    public async Task A_file_with_a_mistake_stops_the_start_and_says_where(string text, string word)
    {
        var refusal = await RefusalAsync(text);

        Assert.Contains("--acl", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_cannot_be_an_access_file_stops_the_start()
    {
        var large = await RefusalAsync("[rest:consumer]\n" + new string('#', 1024 * 1024));
        File.Delete(FilePath);
        Directory.CreateDirectory(FilePath);
        var folder = await Assert.ThrowsAsync<PushQueueStartException>(
            () => PushQueueServer.StartAsync(options => options.RestMq.AccessFile = FilePath)).WithTimeout();

        Assert.Contains("larger", large.Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read", folder.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/c/test")]
    [InlineData("/sse/test")]
    public async Task Comet_brings_its_password_by_Basic(string path)
    {
        await StartAsync("[comet:consumer]\nusername = me\npassword = secret\n");

        var refused = await SendAsync("GET", path, "me:wrong");
        Assert.Equal(401, refused.Status);
        Assert.StartsWith("Basic", refused.Headers["WWW-Authenticate"], StringComparison.Ordinal);
        Assert.Equal(401, (await SendAsync("GET", path)).Status);
        Assert.Equal(200, (await SendAsync("GET", path, "me:secret")).Status);
    }

    [Fact]
    public async Task A_file_that_is_missing_stops_the_start()
    {
        var refusal = await Assert.ThrowsAsync<PushQueueStartException>(
            () => PushQueueServer.StartAsync(options => options.RestMq.AccessFile = FilePath)).WithTimeout();

        Assert.Contains("--acl", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(FilePath, refusal.Message, StringComparison.Ordinal);
    }

    private async Task<PushQueueStartException> RefusalAsync(string text)
    {
        await WriteAsync(text);
        return await Assert.ThrowsAsync<PushQueueStartException>(
            () => PushQueueServer.StartAsync(options => options.RestMq.AccessFile = FilePath)).WithTimeout();
    }

    private async Task StartAsync(string text)
    {
        await WriteAsync(text);
        _server = await PushQueueServer.StartAsync(options => options.RestMq.AccessFile = FilePath);
    }

    private Task WriteAsync(string text) => File.WriteAllTextAsync(FilePath, text);

    private Task<Answer> PutAsync(string? credentials = null) => SendAsync("POST", "/q/test", credentials);

    private async Task<Answer> SendAsync(string method, string path, string? credentials = null)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = _server!.Address };
        using var request = new HttpRequestMessage(new HttpMethod(method), "/restmq" + path);
        if (method == "POST")
        {
            request.Content = new StringContent("value=x", Encoding.UTF8, Form);
        }

        if (credentials is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic", credentials == "*" ? "*" : Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        }

        // Streams never end by themselves.
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        var headers = response.Headers.ToDictionary(
            header => header.Key,
            header => string.Join(", ", header.Value),
            StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, "", "", headers);
    }
}
