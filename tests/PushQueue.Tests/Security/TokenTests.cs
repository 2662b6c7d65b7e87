using System.Net.Http.Headers;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Security;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Security;

/// <summary>Tokens that the server makes for its keys.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    private const string Listen = """{"grants":[{"queues":["news","own.*"],"can":["listen"]}]}""";

    private readonly KeyRing _keys = new();
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await PushQueueServer.StartAsync(options => options.Security.AccessFile = _keys.Path);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task A_token_has_the_rights_that_were_asked_for_and_no_others()
    {
        var token = await MakeAsync(await AddAsync(Permissions.Any), Listen);

        Assert.Equal(200, await OpensAsync("/sse/news", token));
        Assert.Equal(200, await OpensAsync("/c/own.a", token));
        Assert.Equal((403, "forbidden"), await ProblemAsync("GET", "/sse/other", token));
        Assert.Equal((403, "forbidden"), await ProblemAsync("POST", "/q/news", token));
        Assert.Equal((403, "forbidden"), await ProblemAsync("GET", "/q/news", token));
        Assert.Equal((403, "forbidden"), await ProblemAsync("GET", "/stats", token));
    }

    [Fact]
    public async Task A_token_without_grants_has_all_rights_of_its_key_as_they_are_now()
    {
        var key = await AddAsync(Permissions.Put);
        var token = await MakeAsync(key);
        Assert.Equal(201, (await AskAsync("POST", "/q/test", token)).Status);
        Assert.Equal((403, "forbidden"), await ProblemAsync("GET", "/q/test", token));

        _keys.Grant(key, Permissions.Take, "test");

        await Eventually.TrueAsync(async () => (await AskAsync("GET", "/q/test", token)).Status == 200, "the key may take");
        Assert.Equal((403, "forbidden"), await ProblemAsync("POST", "/q/test", token));
    }

    [Theory]
    [InlineData("orders", "put", "orders", "put", 200)]
    [InlineData("orders.*", "put", "orders.a*", "put", 200)]
    [InlineData("orders.*", "put", "orders", "put", 403)]
    [InlineData("orders.*", "put", "orders*", "put", 403)]
    [InlineData("orders.*", "put", "*", "put", 403)]
    [InlineData("orders.*", "put", "orders.a", "put,take", 403)]
    [InlineData("orders", "manage", "orders.dead", "take", 200)]
    [InlineData("orders", "manage", "orders.dead", "put", 403)]
    [InlineData("orders", "take", "orders.dead", "take", 403)]
    public async Task No_token_gets_more_than_its_key(string keyQueues, string keyCan, string queues, string can, int status)
    {
        var key = await AddAsync(AccessFile.Permission(keyCan), keyQueues);

        var answer = await AskTokenAsync(
            key, $$"""{"grants":[{"queues":["{{queues}}"],"can":["{{string.Join("\",\"", can.Split(','))}}"]}]}""");

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task A_token_of_a_token_gets_no_more_and_lives_no_longer()
    {
        var first = await AskTokenAsync(
            await AddAsync(Permissions.Any), """{"grants":[{"queues":["own.*"],"can":["put","listen"]}],"expires":"1m"}""");
        var token = first.Json.GetProperty("token").GetString()!;

        var second = await AskTokenAsync(token, """{"expires":"1h"}""");
        var narrower = await AskTokenAsync(token, """{"grants":[{"queues":["own.a"],"can":["put"]}]}""");
        var wider = await AskTokenAsync(token, """{"grants":[{"queues":["*"],"can":["put"]}]}""");

        Assert.Equal(first.Json.GetProperty("expires").GetDateTimeOffset(), second.Json.GetProperty("expires").GetDateTimeOffset());
        Assert.Equal(201, (await AskAsync("POST", "/q/own.a", narrower.Json.GetProperty("token").GetString()!)).Status);
        Assert.Equal((403, "forbidden"), await ProblemAsync("POST", "/q/own.b", narrower.Json.GetProperty("token").GetString()!));
        Assert.Equal((403, "forbidden"), await ProblemAsync("POST", "/q/other", second.Json.GetProperty("token").GetString()!));
        Assert.Equal((403, "forbidden"), (wider.Status, wider.Problem));
    }

    [Fact]
    public async Task A_token_ends_with_its_key_at_the_latest()
    {
        var expires = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 60);

        var answer = await AskTokenAsync(await AddAsync(Permissions.Any, expires: expires), """{"expires":"24h"}""");

        Assert.Equal(expires, answer.Json.GetProperty("expires").GetDateTimeOffset());
    }

    [Theory]
    [InlineData("/sse/test")]
    [InlineData("/c/test")]
    [InlineData("/ws")]
    [InlineData("/hub")]
    public async Task Streams_of_a_token_end_soon_after_its_key_is_revoked(string path)
    {
        var key = await AddAsync(Permissions.Any);
        var token = await MakeAsync(key);
        using var socket = path[1..] is "ws" or "hub" ? await _server.ConnectWithAsync(path, token) : null;
        using var stream = socket is null ? await OpenAsync(path, token) : null;

        _keys.Remove(key);

        var said = socket is not null
            ? await socket.EndAsync()
            : await stream!.Content.ReadAsStringAsync().WithTimeout();
        Assert.Contains(path == "/ws" ? "4007" : "access-ended", said, StringComparison.Ordinal);
        Assert.Equal((401, "unauthorized"), await ProblemAsync("GET", "/q/test", token));
    }

    [Theory]
    [InlineData("/ws")]
    [InlineData("/hub")]
    public async Task A_connection_goes_on_when_its_token_is_renewed_and_has_the_rights_of_the_new_one(string path)
    {
        var key = await AddAsync(Permissions.Any);
        _server.Log.ExpectError("hub method 'Authenticate'"); // SignalR's own entry, which the host switches off
        using var left = await _server.ConnectWithAsync(path, await MakeAsync(key, """{"expires":"3s"}"""));
        using var renewed = await _server.ConnectWithAsync(path, await MakeAsync(key, """{"expires":"3s"}"""));

        var foreign = await renewed.RenewAsync(path, await MakeAsync(await AddAsync(Permissions.Any)));
        var good = await renewed.RenewAsync(
            path, await MakeAsync(key, """{"grants":[{"queues":["a"],"can":["put"]}],"expires":"10m"}"""));

        Assert.Contains("forbidden", foreign, StringComparison.Ordinal);
        Assert.Contains("\"expires\":\"20", good, StringComparison.Ordinal);
        Assert.Contains(path == "/hub" ? "access-ended" : "4007", await left.EndAsync(), StringComparison.Ordinal);
        Assert.Contains("\"expires\":\"20", await renewed.RenewAsync(path, await MakeAsync(key)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renewal_with_fewer_rights_ends_the_subscriptions_that_it_does_not_cover()
    {
        var key = await AddAsync(Permissions.Any);
        using var socket = await _server.ConnectWithAsync("/ws", await MakeAsync(key));
        await socket.AskAsync("""{"cmd":"subscribe","queue":"one"}""");

        await socket.RenewAsync("/ws", await MakeAsync(key, """{"grants":[{"queues":["two"],"can":["listen"]}]}"""));

        var notice = await socket.NextAsync();
        Assert.Contains("\"code\":\"access-ended\"", notice, StringComparison.Ordinal);
        Assert.Contains("\"one\"", notice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browsers_socket_carries_the_token_as_a_subprotocol_that_is_not_selected()
    {
        using var socket = await _server.ConnectWithAsync("/ws", await MakeAsync(await AddAsync(Permissions.Put)), inSubprotocol: true);

        Assert.Equal("pushqueue", socket.SubProtocol);
        Assert.StartsWith("{\"ok\":true", await socket.AskAsync("""{"cmd":"put","queue":"a","value":1}"""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hub_client_has_its_token_as_signalr_sends_it()
    {
        var token = await MakeAsync(await AddAsync(Permissions.Put));
        await using var hub = new HubConnectionBuilder()
            .WithUrl(new Uri(_server.Address, "hub"), options => options.AccessTokenProvider = () => Task.FromResult<string?>(token))
            .Build();

        await hub.StartAsync().WithTimeout();

        await hub.InvokeAsync<object>("Put", "a", 1, null).WithTimeout();
    }

    [Fact]
    public async Task An_event_stream_has_its_token_in_a_cookie_that_counts_for_nothing_else()
    {
        var token = await MakeAsync(await AddAsync(Permissions.Any));
        var answer = await AskTokenAsync(token, """{"cookie":true,"expires":"1h"}""");
        var cookie = answer.Headers["Set-Cookie"];
        var pair = cookie[..cookie.IndexOf(';', StringComparison.Ordinal)];

        Assert.StartsWith("pushqueue-token=", cookie, StringComparison.Ordinal);
        foreach (var attribute in new[] { "httponly", "samesite=strict", "path=/", "expires=" })
        {
            Assert.Contains(attribute, cookie, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Equal(200, await WithCookieAsync("GET", "/sse/test", pair));
        Assert.Equal(200, await WithCookieAsync("GET", "/sse/test", pair, ("Sec-Fetch-Site", "same-origin")));
        Assert.Equal(403, await WithCookieAsync("GET", "/sse/test", pair, ("Sec-Fetch-Site", "cross-site")));
        Assert.Equal(403, await WithCookieAsync("GET", "/sse/test", pair, ("Origin", "https://evil.example")));
        Assert.Equal(401, await WithCookieAsync("POST", "/q/test", pair));
        Assert.Equal(401, await WithCookieAsync("GET", "/q/test", pair));
        Assert.Equal(401, await WithCookieAsync("POST", "/token", pair));
        Assert.Equal(401, await WithCookieAsync("GET", "/ws", pair, ("Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw==")));
        Assert.Equal(401, await WithCookieAsync("GET", "/sse/test", "pushqueue-token=nonsense.a.b"));
    }

    [Theory]
    [InlineData("[]", "bad-json")]
    [InlineData("{", "bad-json")]
    [InlineData("""{"lasts":"1m"}""", "bad-option")]
    [InlineData("""{"expires":"0"}""", "bad-option")]
    [InlineData("""{"expires":"25h"}""", "bad-option")]
    [InlineData("""{"expires":"soon"}""", "bad-option")]
    [InlineData("""{"expires":["1m"]}""", "bad-option")]
    [InlineData("""{"cookie":1}""", "bad-option")]
    [InlineData("""{"grants":[]}""", "bad-option")]
    [InlineData("""{"grants":"*"}""", "bad-option")]
    [InlineData("""{"grants":[1]}""", "bad-option")]
    [InlineData("""{"grants":[{"queues":["a"]}]}""", "bad-option")]
    [InlineData("""{"grants":[{"can":["put"]}]}""", "bad-option")]
    [InlineData("""{"grants":[{"queues":["a"],"can":["fly"]}]}""", "bad-option")]
    [InlineData("""{"grants":[{"queues":["a"],"can":["put"],"x":1}]}""", "bad-option")]
    [InlineData("""{"grants":[{"queues":[""],"can":["put"]}]}""", "bad-queue-name")]
    [InlineData("""{"grants":[{"queues":["a"],"queues":["b"],"can":["put"]}]}""", "bad-option")]
    [InlineData("""{"grants":[{"queues":["\ud800"],"can":["put"]}]}""", "bad-option")]
    public async Task A_wrong_request_for_a_token_is_refused(string body, string problem)
    {
        var answer = await AskTokenAsync(await AddAsync(Permissions.Any), body);

        Assert.Equal((400, problem), (answer.Status, answer.Problem));
    }

    [Fact]
    public async Task A_token_that_no_cookie_could_hold_is_not_made()
    {
        var queues = string.Join("\",\"", Enumerable.Range(0, 90).Select(static i => $"{new string('q', 50)}{i}"));
        var key = await AddAsync(Permissions.Any);

        var tooLong = await AskTokenAsync(key, $$"""{"grants":[{"queues":["{{queues}}"],"can":["put"]}]}""");
        var tooMany = await AskTokenAsync(
            key, $$"""{"grants":[{"queues":["{{string.Join("\",\"", Enumerable.Range(0, 101))}}"],"can":["put"]}]}""");

        Assert.Equal((400, "bad-option"), (tooLong.Status, tooLong.Problem));
        Assert.Equal((400, "bad-option"), (tooMany.Status, tooMany.Problem));
    }

    [Fact]
    public async Task Another_key_under_the_same_id_does_not_take_the_tokens_over()
    {
        var key = await AddAsync(Permissions.Any);
        var token = await MakeAsync(key);
        var id = key[3..13];

        var (other, text) = AccessKey.Create("other");
        _keys.WriteText($$"""
            {"keys":[{"id":"{{id}}","name":"other","hash":"sha256:{{Convert.ToBase64String(other.Salt)}}:{{Convert.ToBase64String(other.Hash)}}",
            "grants":[{"queues":["*"],"can":["put","take"]}]}]}
            """);

        await Eventually.TrueAsync(async () => (await AskAsync("POST", "/q/a", token)).Status == 401, "the token has ended");
        GC.KeepAlive(text);
    }

    [Fact]
    public async Task The_secret_is_a_file_of_the_owner_alone_and_tokens_survive_a_restart()
    {
        using var folder = new TemporaryDirectory();
        var key = _keys.Add(Permissions.Any);
        string token;
        await using (var first = await StartAsync(folder))
        {
            token = await MakeAsync(key, server: first);
        }

        await using (var second = await StartAsync(folder))
        {
            Assert.Equal(201, (await AskAsync("POST", "/q/a", token, second)).Status);
        }

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File(SecretFile.Name)));
        }

        File.Delete(folder.File(SecretFile.Name));
        await using var third = await StartAsync(folder);
        Assert.Equal(401, (await AskAsync("POST", "/q/a", token, third)).Status);
    }

    [Fact]
    public async Task Tokens_end_within_a_minute_when_the_operator_deletes_the_secret_also_those_of_open_connections()
    {
        using var folder = new TemporaryDirectory();
        var time = new TestTimeProvider();
        var key = _keys.Add(Permissions.Any);
        await using var server = await PushQueueServer.StartAsync(
            options =>
            {
                options.Security.AccessFile = _keys.Path;
                options.Storage.DataDirectory = folder.Path;
            },
            time);
        var token = await MakeAsync(key, server: server);
        Assert.Equal(201, (await AskAsync("POST", "/q/a", token, server)).Status);
        using var stream = await OpenAsync("/sse/b", token, server);
        var said = stream.Content.ReadAsStringAsync();

        File.Delete(folder.File(SecretFile.Name));
        await Eventually.TrueAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromSeconds(5));
                return (await AskAsync("POST", "/q/a", token, server)).Status == 401 && said.IsCompleted;
            },
            "the token has ended");

        Assert.Contains("access-ended", await said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_redis_a_token_of_one_node_is_good_at_every_other_and_ends_there_with_its_key()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var one = await OverRedisAsync(redis);
        await using var other = await OverRedisAsync(redis);
        var key = _keys.Add(Permissions.Any);
        await Eventually.TrueAsync(async () => (await AskTokenAsync(key, "", one)).Status == 200, "the key counts");
        var token = await MakeAsync(key, server: one);
        await Eventually.TrueAsync(
            async () => (await AskAsync("POST", "/q/a", token, other)).Status == 201, "the other node knows the key");

        _keys.Remove(key);

        await Eventually.TrueAsync(async () => (await AskAsync("POST", "/q/a", token, other)).Status == 401, "the token has ended");
    }

    [Fact]
    public async Task A_damaged_secret_is_a_sentence_for_the_operator_and_keys_still_work()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File(SecretFile.Name), "short");
        var key = _keys.Add(Permissions.Any);
        await using var server = await StartAsync(folder);

        var answer = await AskTokenAsync(key, "", server);

        Assert.Equal((503, "store-unavailable"), (answer.Status, answer.Problem));
        Assert.Equal(201, (await AskAsync("POST", "/q/a", key, server)).Status);
    }

    [Fact]
    public async Task A_server_that_asks_for_no_keys_makes_no_tokens_and_renews_any_connection()
    {
        await using var open = await PushQueueServer.StartAsync();

        var answer = await open.PostAsync("/token", "{}", "application/json");
        using var socket = await open.ConnectWithAsync("/ws", "x");

        Assert.Equal((415, "unsupported"), (answer.Status, answer.Problem));
        Assert.Equal("{\"ok\":true}", await socket.RenewAsync("/ws", "anything"));
    }

    [Theory]
    [InlineData("""{"cmd":"auth"}""", "'token' is missing")]
    [InlineData("""{"cmd":"auth","token":{}}""", "string")]
    [InlineData("""{"cmd":"auth","token":"x","queue":"a"}""", "no option 'queue'")]
    [InlineData("""{"cmd":"auth","token":""}""", "requires a key")]
    public async Task A_wrong_renewal_is_refused_and_the_socket_goes_on(string command, string reason)
    {
        using var socket = await _server.ConnectWithAsync("/ws", await AddAsync(Permissions.Any));

        Assert.Contains(reason, await socket.AskAsync(command), StringComparison.Ordinal);
        Assert.StartsWith("{\"ok\":true", await socket.AskAsync("""{"cmd":"put","queue":"a","value":1}"""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renewal_needs_a_connection() => Assert.Contains(
        "unsupported", (await AskAsync("POST", "/queue", await AddAsync(Permissions.Any), body: """{"cmd":"auth","token":"x"}""")).Text,
        StringComparison.Ordinal);

    [Fact]
    public async Task No_token_is_logged()
    {
        var key = await AddAsync(Permissions.Any);
        var token = await MakeAsync(key);
        Assert.Equal(200, await OpensAsync($"/sse/test?access_token={token}", null));
        using var socket = await _server.ConnectWithAsync("/ws", token, inSubprotocol: true);
        await socket.RenewAsync("/ws", token);

        Assert.DoesNotContain(_server.Log.Entries, entry =>
            !TokenSockets.LogsOfTheFramework.Contains(entry.Category)
            && (entry.Text.Contains(token.Split('.')[1], StringComparison.Ordinal) || entry.Text.Contains(key, StringComparison.Ordinal)));
    }

    private Task<PushQueueServer> StartAsync(TemporaryDirectory folder) => PushQueueServer.StartAsync(options =>
    {
        options.Security.AccessFile = _keys.Path;
        options.Storage.DataDirectory = folder.Path;
    });

    private Task<PushQueueServer> OverRedisAsync(RedisServer redis) => PushQueueServer.StartAsync(options =>
    {
        options.Security.AccessFile = _keys.Path;
        options.Storage.Redis = redis.Address;
    });

    /// <summary>A key that is in force.</summary>
    private async Task<string> AddAsync(Permissions can, string queues = "*", DateTimeOffset? expires = null)
    {
        var key = _keys.Add(can, queues, expires: expires);
        var access = _server.Services.GetRequiredService<AccessControl>();
        await Eventually.TrueAsync(() => access.Find(key, out _) is not null, "the key counts");
        return key;
    }

    private async Task<string> MakeAsync(string key, string body = "", PushQueueServer? server = null)
    {
        var answer = await AskTokenAsync(key, body, server);
        Assert.Equal(200, answer.Status);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        return answer.Json.GetProperty("token").GetString()!;
    }

    private Task<Answer> AskTokenAsync(string key, string body, PushQueueServer? server = null) =>
        AskAsync("POST", "/token", key, server, body);

    private async Task<Answer> AskAsync(string method, string path, string key, PushQueueServer? server = null, string body = "x")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Content = method == "POST" ? new StringContent(body) : null;
        return await (server ?? _server).SendAsync(request);
    }

    private async Task<(int Status, string Problem)> ProblemAsync(string method, string path, string key)
    {
        var answer = await AskAsync(method, path, key);
        return (answer.Status, answer.Problem);
    }

    private async Task<HttpResponseMessage> OpenAsync(string path, string? key, PushQueueServer? server = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return await (server ?? _server).Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
    }

    private async Task<int> OpensAsync(string path, string? key)
    {
        using var response = await OpenAsync(path, key);
        return (int)response.StatusCode;
    }

    private async Task<int> WithCookieAsync(string method, string path, string cookie, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = _server.Address };
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Add("Cookie", cookie);
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        return (int)response.StatusCode;
    }
}
