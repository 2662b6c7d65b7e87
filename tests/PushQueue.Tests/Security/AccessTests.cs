using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using PushQueue.Client.SignalR;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Security;

public sealed class AccessTests : IAsyncLifetime
{
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
    public async Task A_key_may_be_sent_as_bearer_or_as_either_half_of_basic()
    {
        var key = await AddAsync(Permissions.Put);

        foreach (var header in new[] { $"Bearer {key}", $"bearer  {key}", Basic("anybody", key), Basic(key, "") })
        {
            Assert.Equal(201, (await AskAsync("POST", "/q/test", header)).Status);
        }

        foreach (var header in new[] { key, Basic(key, "x"), Basic("", ""), "Basic !", "Basic", "Bearer", $"Digest {key}" })
        {
            var answer = await AskAsync("POST", "/q/test", header);
            Assert.Equal((401, "unauthorized"), (answer.Status, answer.Problem));
            Assert.StartsWith("Bearer realm=", answer.Headers["WWW-Authenticate"], StringComparison.Ordinal);
            Assert.Contains("Basic realm=", answer.Headers["WWW-Authenticate"], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Sec-Fetch-Mode", "navigate", true)]
    [InlineData("Sec-Fetch-Mode", "cors", false)]
    [InlineData("Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw==", false)]
    [InlineData("Accept", "text/event-stream", false)]
    [InlineData("Accept", "text/html", true)]
    public async Task A_browser_is_led_to_ask_for_a_password_for_pages_and_not_for_scripts(string header, string value, bool asks)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/q");
        request.Headers.Add(header, value);

        var answer = await _server.SendAsync(request);

        Assert.Equal((401, asks), (answer.Status, answer.Headers["WWW-Authenticate"].Contains("Basic", StringComparison.Ordinal)));
        Assert.StartsWith("Bearer realm=", answer.Headers["WWW-Authenticate"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_is_asked_anew_whenever_its_key_or_the_rules_change()
    {
        var (first, second) = (await AddAsync(Permissions.Put), await AddAsync(Permissions.Take));
        using var connection = new RawHttp(_server.Address.Port);

        var answers = new List<int>();
        foreach (var (method, key) in new[] { ("POST", first), ("POST", first), ("POST", second), ("POST", "pq_nobody"), ("POST", first),
            ("POST", null) })
        {
            answers.Add(await connection.AskAsync(method, "/q/test", key));
        }

        Assert.Equal([201, 201, 403, 401, 201, 401], answers);
        _keys.Remove(first);
        await Eventually.TrueAsync(() => !IsKnown(first), "the key is gone");
        Assert.Equal(401, await connection.AskAsync("POST", "/q/test", first));
    }

    [Fact]
    public async Task Only_what_browsers_open_without_headers_takes_a_key_in_the_url()
    {
        var key = await AddAsync(Permissions.Any);

        using var stream = await _server.Client.GetAsync($"/sse/test?access_token={key}", HttpCompletionOption.ResponseHeadersRead)
            .WithTimeout();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/ws?access_token={key}"), CancellationToken.None).WithTimeout();
        await socket.SendAsync("""{"cmd":"put","queue":"other","value":1}""");

        Assert.Equal(200, (int)stream.StatusCode);
        Assert.Contains("\"ok\":true", await socket.NextAsync(), StringComparison.Ordinal);
        Assert.Equal(401, (await _server.PostAsync($"/q/test?access_token={key}", "x")).Status);
    }

    [Fact]
    public async Task A_key_sees_and_touches_only_its_own_queues()
    {
        var all = await AddAsync(Permissions.Any);
        var own = await AddAsync(Permissions.Put | Permissions.Take, "own.*");
        await AskAsync("POST", "/q/own.a", $"Bearer {all}");
        await AskAsync("POST", "/q/secret", $"Bearer {all}");

        var list = await AskAsync("GET", "/q", $"Bearer {own}");

        Assert.Equal("own.a", Assert.Single(list.Json.GetProperty("queues").EnumerateArray()).GetProperty("queue").GetString());
        Assert.Equal(200, (await AskAsync("GET", "/q/own.a", $"Bearer {own}")).Status);
        Assert.Equal(200, (await AskAsync("GET", "/j/own.a", $"Bearer {own}")).Status);
        Assert.Equal((403, "forbidden"), await StatusAsync("GET", "/q/secret", own));
        Assert.Equal((403, "forbidden"), await StatusAsync("DELETE", "/q/own.a", own));
        Assert.Equal((403, "forbidden"), await StatusAsync("GET", "/stats", own));
        Assert.Equal((403, "forbidden"), await StatusAsync("GET", "/q/%73ecret", own));
        Assert.Equal((400, "bad-queue-name"), await StatusAsync("GET", "/q/own.a%2F..%2Fsecret", own));
    }

    [Theory]
    [InlineData("/sse/test")]
    [InlineData("/c/test")]
    public async Task A_stream_ends_soon_after_its_key_is_taken_away(string path)
    {
        var key = await AddAsync(Permissions.Listen);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        Assert.Equal(200, (int)response.StatusCode);

        _keys.Remove(key);

        Assert.Contains("\"code\":\"access-ended\"", await response.Content.ReadAsStringAsync().WithTimeout(), StringComparison.Ordinal);
        Assert.Equal((401, "unauthorized"), await StatusAsync("GET", path, key));
    }

    [Theory]
    [InlineData("/q/test?wait=60")]
    [InlineData("/q/test?wait=60&ttr=30")]
    [InlineData("/q/test/batch?wait=60")]
    [InlineData("/q/test/batch?wait=60&ttr=30")]
    public async Task A_take_that_waits_ends_soon_after_its_key_is_taken_away_and_takes_nothing(string path)
    {
        var (key, other) = (await AddAsync(Permissions.Take), await AddAsync(Permissions.Any));
        var waiting = StatusAsync("GET", path, key);
        await Eventually.TrueAsync(() => _server.Services.GetRequiredService<PushQueue.Queues.TakeWaiters>().Count == 1, "it waits");

        _keys.Remove(key);

        Assert.Equal((401, "unauthorized"), await waiting.WithTimeout());
        await AskAsync("POST", "/q/test", $"Bearer {other}");
        Assert.Equal(200, (await AskAsync("GET", "/q/test", $"Bearer {other}")).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_command_that_waits_ends_where_its_permission_does(bool overSocket)
    {
        const string Command = """{"cmd":"lease","queue":"test","wait":60}""";
        var key = await AddAsync(Permissions.Take);
        using var socket = overSocket ? await ConnectAsync("/ws", key, negotiate: false) : null;
        var answer = socket is null ? CommandAsync(key, Command) : SayAsync(socket, Command);
        await Eventually.TrueAsync(() => _server.Services.GetRequiredService<PushQueue.Queues.TakeWaiters>().Count == 1, "it waits");

        _keys.Grant(key, Permissions.Put, "*");

        Assert.Contains("\"error\":\"forbidden\"", await answer.WithTimeout(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/ws/test", false)]
    [InlineData("/ws", false)]
    [InlineData("/hub", false)]
    [InlineData("/hub", true)]
    public async Task A_socket_ends_soon_after_its_key_expires(string path, bool negotiate)
    {
        // The file has whole seconds.
        var expires = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3);
        var key = await AddAsync(Permissions.Any, expires: expires);
        using var socket = await ConnectAsync(path, key, negotiate);

        var said = "";
        while (socket.State == WebSocketState.Open)
        {
            said += await NextOrEndAsync(socket);
        }

        Assert.True(DateTimeOffset.UtcNow >= expires);
        Assert.Contains(path == "/hub" ? "access-ended" : "4007", said, StringComparison.Ordinal);
        Assert.Equal((401, "unauthorized"), await StatusAsync("GET", "/q/test", key));
    }

    [Fact]
    public async Task A_subscription_ends_when_only_its_queue_is_taken_from_the_key_and_the_socket_goes_on()
    {
        var key = await AddAsync(Permissions.Listen | Permissions.Put);
        using var socket = await ConnectAsync("/ws", key, negotiate: false);
        await socket.SendAsync("""{"cmd":"subscribe","queue":"one"}""");
        await socket.NextAsync();
        await socket.SendAsync("""{"cmd":"subscribe","queue":"two"}""");
        await socket.NextAsync();

        _keys.Grant(key, Permissions.Listen, "two");

        Assert.Contains("\"code\":\"access-ended\"", await socket.NextAsync(), StringComparison.Ordinal);
        await socket.SendAsync("""{"cmd":"put","queue":"two","value":1,"ref":1}""");
        Assert.StartsWith("""{"ref":1,"error":"forbidden""", await socket.NextAsync(), StringComparison.Ordinal);
        await AskAsync("POST", "/q/two", $"Bearer {await AddAsync(Permissions.Put)}");
        Assert.StartsWith("""{"queue":"two",""", await socket.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_edit_changes_nothing_and_is_logged_and_the_next_good_one_counts()
    {
        var key = await AddAsync(Permissions.Put);

        _keys.WriteText("""{"keys":[{"nonsense":1}]}""");
        await Eventually.TrueAsync(() =>
            _server.Log.Entries.Any(static entry => entry.Text.Contains("'nonsense'", StringComparison.Ordinal)), "the edit is logged");
        Assert.Equal(201, (await AskAsync("POST", "/q/test", $"Bearer {key}")).Status);
        _keys.Remove(key);

        await Eventually.TrueAsync(async () => (await AskAsync("POST", "/q/test", $"Bearer {key}")).Status == 401, "the key is gone");
        Assert.Equal(1, _server.Log.Entries.Count(static entry => entry.Text.Contains("'nonsense'", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_file_behind_links_is_read_again_when_the_links_lead_elsewhere()
    {
        using var folder = new TemporaryDirectory();
        foreach (var version in new[] { "one", "two" })
        {
            Directory.CreateDirectory(folder.File(version));
        }

        var key = await AddAsync(Permissions.Put);
        File.Copy(_keys.Path, Path.Combine(folder.File("one"), "keys.json"));
        _keys.Remove(key);
        File.Copy(_keys.Path, Path.Combine(folder.File("two"), "keys.json"));
        Directory.CreateSymbolicLink(folder.File("data"), folder.File("one"));
        File.CreateSymbolicLink(folder.File("keys.json"), Path.Combine("data", "keys.json"));
        await using var server = await PushQueueServer.StartAsync(options => options.Security.AccessFile = folder.File("keys.json"));
        Assert.Equal(201, (await AskAsync(server, "POST", "/q/test", $"Bearer {key}")).Status);

        Directory.Delete(folder.File("data"));
        Directory.CreateSymbolicLink(folder.File("data"), folder.File("two"));

        await Eventually.TrueAsync(
            async () => (await AskAsync(server, "POST", "/q/test", $"Bearer {key}")).Status == 401, "the key is gone");
    }

    [Fact]
    public async Task A_file_in_another_encoding_changes_nothing_and_the_server_goes_on()
    {
        var key = await AddAsync(Permissions.Put);

        _keys.WriteBytes(Encoding.Latin1.GetBytes("""{"keys":[{"id":"0123456789","name":"Müller","hash":"sha256:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","grants":[]}]}"""));
        await Eventually.TrueAsync(
            () => _server.Log.Entries.Any(static entry => entry.Text.Contains("UTF-8", StringComparison.Ordinal)), "the edit is logged");

        Assert.Equal(201, (await AskAsync("POST", "/q/test", $"Bearer {key}")).Status);
        _keys.Remove(key);
        await Eventually.TrueAsync(async () => (await AskAsync("POST", "/q/test", $"Bearer {key}")).Status == 401, "the key is gone");
    }

    [Fact]
    public async Task Of_queues_that_a_key_may_not_see_not_even_the_next_page_tells()
    {
        var all = await AddAsync(Permissions.Any);
        var own = await AddAsync(Permissions.Put, "own.*");
        foreach (var queue in new[] { "a", "b", "own.1", "own.2", "z" })
        {
            await AskAsync("POST", $"/q/{queue}", $"Bearer {all}");
        }

        var first = (await AskAsync("GET", "/q?limit=1", $"Bearer {own}")).Json;
        var second = (await AskAsync("GET", "/q?limit=1&after=own.1", $"Bearer {own}")).Json;

        Assert.Equal("own.1", Assert.Single(first.GetProperty("queues").EnumerateArray()).GetProperty("queue").GetString());
        Assert.Equal("own.1", first.GetProperty("next").GetString());
        Assert.Equal("own.2", Assert.Single(second.GetProperty("queues").EnumerateArray()).GetProperty("queue").GetString());
        Assert.NotEqual("z", second.GetProperty("next").GetString());
    }

    [Fact]
    public async Task A_watcher_sees_nothing_more_once_its_grant_is_gone_although_its_key_stays()
    {
        var key = await AddAsync(Permissions.Listen);
        await using var hub = new HubConnectionBuilder().WithPushQueue(_server.Address, key).Build();
        await hub.StartAsync().WithTimeout();
        await using var tail = hub.StreamAsync<System.Text.Json.JsonElement>("Tail", "secret").GetAsyncEnumerator();
        Assert.True(await tail.MoveNextAsync().WithTimeout());
        _server.Log.ExpectError("hub method Tail"); // SignalR's own entry, which the host switches off

        _keys.Grant(key, Permissions.Listen, "other");
        await Eventually.TrueAsync(async () => (await AskAsync("GET", "/c/secret", $"Bearer {key}")).Status == 403, "the grant is gone");
        await AskAsync("POST", "/q/secret", $"Bearer {await AddAsync(Permissions.Put)}");

        var e = await Assert.ThrowsAsync<HubException>(() => tail.MoveNextAsync().WithTimeout());
        Assert.Contains("forbidden", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_call_of_consume_is_a_subscription_and_a_command()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Delivery.SubscriptionsPerConnectionMax = 2);
        server.Log.ExpectError("hub method 'Consume'"); // SignalR's own entry, which the host switches off
        using var hits = new LimitCounts(server);
        await using var hub = new HubConnectionBuilder().WithPushQueue(server.Address).Build();
        await hub.StartAsync().WithTimeout();
        using var end = new CancellationTokenSource();
        var one = await hub.StreamAsChannelAsync<System.Text.Json.JsonElement>("Consume", "one", new { }, end.Token).WithTimeout();
        await hub.InvokeAsync<System.Text.Json.JsonElement>("Subscribe", "two", new { }).WithTimeout();

        var tooMany = await hub.StreamAsChannelAsync<System.Text.Json.JsonElement>("Consume", "three", new { }).WithTimeout();

        var e = await Assert.ThrowsAsync<HubException>(() => tooMany.WaitToReadAsync().AsTask().WithTimeout());
        Assert.Contains("too-many-subscriptions", e.Message, StringComparison.Ordinal);
        Assert.Equal(1, hits["subscriptions"]);
        await end.CancelAsync();
        await Eventually.TrueAsync(async () => await OpensAsync(hub), "the place is free again");
        GC.KeepAlive(one);
    }

    [Fact]
    public async Task A_bad_file_at_the_start_is_one_sentence_that_names_it()
    {
        _keys.WriteText("{");

        var failure = await Assert.ThrowsAsync<PushQueueStartException>(
            () => PushQueueServer.StartAsync(options => options.Security.AccessFile = _keys.Path));

        Assert.Contains(_keys.Path, failure.Message, StringComparison.Ordinal);
        Assert.Contains("--auth", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_rate_of_a_key_counts_every_message_of_a_batch_and_every_command()
    {
        using var hits = new LimitCounts(_server);
        var key = await AddAsync(Permissions.Any, limits: new KeyLimits(MessagesPerSecond: 0.1));
        var other = await AddAsync(Permissions.Any, limits: new KeyLimits(BytesPerSecond: 10));

        Assert.Equal(201, (await AskAsync("POST", "/q/test/batch", $"Bearer {key}", "1\n2\n3")).Status);
        var refused = await AskAsync("GET", "/q/test", $"Bearer {key}");
        using (var unannounced = new HttpRequestMessage(
            HttpMethod.Post, "/q/test/batch") { Content = new StringContent(new string('1', 1000)) })
        {
            unannounced.Headers.TransferEncodingChunked = true;
            unannounced.Headers.Authorization = new AuthenticationHeaderValue("Bearer", other);
            Assert.Equal(201, (int)(await _server.Client.SendAsync(unannounced).WithTimeout()).StatusCode);
        }

        using var socket = await ConnectAsync(
            "/ws", await AddAsync(Permissions.Any, limits: new KeyLimits(MessagesPerSecond: 1.5)), negotiate: false);
        await socket.SendAsync("""{"cmd":"put","queue":"test","values":[1,2,3],"ref":1}""");
        await socket.SendAsync("""{"cmd":"put","queue":"test","value":1,"ref":2}""");

        Assert.Equal((429, "too-many-requests"), (refused.Status, refused.Problem));
        Assert.InRange(int.Parse(refused.Headers["Retry-After"]), 15, 25);
        Assert.Equal((429, "too-many-requests"), await StatusAsync("GET", "/q/test", other));
        Assert.StartsWith("""{"ref":1,"ok":true""", await socket.NextAsync(), StringComparison.Ordinal);
        Assert.StartsWith("""{"ref":2,"error":"too-many-requests""", await socket.NextAsync(), StringComparison.Ordinal);
        Assert.Equal(3, hits["key-rate"]);
    }

    [Fact]
    public async Task A_key_holds_no_more_streams_than_it_may_and_gets_a_place_back()
    {
        using var hits = new LimitCounts(_server);
        var key = await AddAsync(Permissions.Any, limits: new KeyLimits(Connections: 2));
        using var one = await ConnectAsync("/ws", key, negotiate: false);
        using (await ConnectAsync("/hub", key, negotiate: false))
        {
            Assert.Equal((429, "too-many-connections"), await StatusAsync("GET", "/sse/test", key));
        }

        await Eventually.TrueAsync(async () => await ConnectsAsync(key), "the place is free again");
        Assert.True(hits["key-connections"] >= 1);
        Assert.Equal(204, (await AskAsync("GET", "/q/test", $"Bearer {key}")).Status);
    }

    [Fact]
    public async Task A_hub_connection_of_many_requests_is_one_connection_of_its_key()
    {
        var key = await AddAsync(Permissions.Any, limits: new KeyLimits(Connections: 1));
        var negotiated = (await AskAsync("POST", "/hub/negotiate?negotiateVersion=1", $"Bearer {key}", "")).Json;
        var path = $"/hub?id={negotiated.GetProperty("connectionToken").GetString()}";

        var poll = AskAsync("GET", path, $"Bearer {key}");
        var handshake = await AskAsync("POST", path, $"Bearer {key}", "{\"protocol\":\"json\",\"version\":1}\u001e");
        Assert.Equal((200, 200), (handshake.Status, (await poll).Status));
        var put = await AskAsync("POST", path, $"Bearer {key}", """{"type":1,"invocationId":"1","target":"Put","arguments":["test",1]}""" + "\u001e");

        Assert.Equal(200, put.Status);
        await Eventually.TrueAsync(
            async () => (await AskAsync("GET", path, $"Bearer {key}")).Text.Contains("\"ok\":true", StringComparison.Ordinal),
                "the put is answered");
        Assert.Equal((429, "too-many-connections"), await StatusAsync("POST", "/hub/negotiate?negotiateVersion=1", key));
        Assert.Equal((429, "too-many-connections"), await StatusAsync("GET", "/c/test", key));
        Assert.Equal(202, (await AskAsync("DELETE", path, $"Bearer {key}")).Status);
        await Eventually.TrueAsync(async () => await ConnectsAsync(key), "the place is free again");
    }

    [Theory]
    [InlineData("/q/test?waitForAck=60", "x")]
    [InlineData("/queue", """{"cmd":"put","queue":"test","value":1,"waitForAck":60}""")]
    public async Task A_put_that_waits_ends_with_the_right_of_its_key(string path, string body)
    {
        var key = await AddAsync(Permissions.Put);
        var put = AskAsync("POST", path, $"Bearer {key}", body);
        await Eventually.TrueAsync(async () =>
            (await _server.Services.GetRequiredService<IMessageBroker>().GetQueueAsync(QueueName.Parse("test")))?.Ready == 1, "it is put");

        _keys.Remove(key);

        Assert.Contains("unauthorized", (await put).Text, StringComparison.Ordinal);
    }

    /// <summary>A key that is in force when this returns.</summary>
    private async Task<string> AddAsync(Permissions can, string queues = "*", KeyLimits? limits = null, DateTimeOffset? expires = null)
    {
        var key = _keys.Add(can, queues, limits, expires);
        await Eventually.TrueAsync(() => IsKnown(key), "the key is known");
        return key;
    }

    /// <summary>Asked of the rules themselves, for a request would count against the key's limits.</summary>
    private bool IsKnown(string key) =>
        _server.Services.GetRequiredService<AccessControl>().Find(key, out _) is not null;

    private async Task<bool> ConnectsAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sse/test");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        return response.IsSuccessStatusCode;
    }

    private async Task<(int Status, string Problem)> StatusAsync(string method, string path, string key)
    {
        var answer = await AskAsync(method, path, $"Bearer {key}");
        return (answer.Status, answer.Problem);
    }

    private Task<Answer> AskAsync(string method, string path, string authorization, string body = "x") =>
        AskAsync(_server, method, path, authorization, body);

    private static async Task<Answer> AskAsync(PushQueueServer server, string method, string path, string authorization, string body = "x")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = method == "POST" ? new StringContent(body, Encoding.UTF8, "text/plain") : null;
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await server.SendAsync(request);
    }

    /// <summary>Whether the hub lets one more stream of <c>Consume</c> begin; it is ended at once.</summary>
    private static async Task<bool> OpensAsync(HubConnection hub)
    {
        using var end = new CancellationTokenSource();
        var stream = await hub.StreamAsChannelAsync<System.Text.Json.JsonElement>("Consume", "again", new { }, end.Token).WithTimeout();
        await end.CancelAsync();
        try
        {
            _ = await stream.WaitToReadAsync().AsTask().WithTimeout();
            return true;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
        catch (HubException)
        {
            return false;
        }
    }

    private async Task<string> CommandAsync(string key, string command) =>
        (await AskAsync("POST", "/queue", $"Bearer {key}", command)).Text;

    private static async Task<string> SayAsync(ClientWebSocket socket, string command)
    {
        await socket.SendAsync(command);
        return await socket.NextAsync();
    }

    private async Task<ClientWebSocket> ConnectAsync(string path, string key, bool negotiate)
    {
        if (negotiate)
        {
            var negotiation = await AskAsync("POST", path + "/negotiate?negotiateVersion=1", $"Bearer {key}", "");
            path += $"?id={negotiation.Json.GetProperty("connectionToken").GetString()}";
        }

        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {key}");
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
        if (path.StartsWith("/hub", StringComparison.Ordinal))
        {
            await socket.SendAsync(HubSockets.Handshake);
            await socket.NextAsync();
        }

        return socket;
    }

    /// <summary>The next frame; null where the connection is gone.</summary>
    private static async Task<string?> NextOrEndAsync(ClientWebSocket socket)
    {
        try
        {
            return await socket.NextAsync();
        }
        catch (WebSocketException)
        {
            return null;
        }
    }

    private static string Basic(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
}
