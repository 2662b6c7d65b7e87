using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using PushQueue.Security;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

/// <summary>The permissions that the dialects ask for, by queue and verb, as the native API does.</summary>
public sealed class DialectAccessTests : IAsyncLifetime
{
    private const string Form = "application/x-www-form-urlencoded";
    private const string Json = "application/json";
    private const string Lacks = "lacks the permission";
    private const Permissions Looks = Permissions.Take | Permissions.Listen | Permissions.Manage;
    private const Permissions Cancels = Permissions.Put | Permissions.Take | Permissions.Manage;
    private const Permissions Settles = Permissions.Take | Permissions.Listen;

    /// <summary>Requests that concern the queue "test", and the permissions on it of which one is needed.</summary>
    private static readonly (string Method, string Path, string? Body, string? ContentType, Permissions AnyOf)[] Requests =
    [
        ("GET", "/restmq/?queue=test", null, null, Permissions.Take),
        ("POST", "/restmq/", "queue=test&value=x", Form, Permissions.Put),
        ("POST", "/restmq/?queue=test", "value=x", Form, Permissions.Put),
        ("GET", "/restmq/q/test", null, null, Permissions.Take),
        ("POST", "/restmq/q/test", "value=x", Form, Permissions.Put),
        ("DELETE", "/restmq/q/test", null, null, Permissions.Manage),
        ("GET", "/restmq/c/test", null, null, Permissions.Listen),
        ("GET", "/restmq/sse/test", null, null, Permissions.Listen),
        ("GET", "/restmq/ws/test", null, null, Permissions.Listen),
        ("GET", "/restmq/p/test", null, null, Permissions.Any),
        ("POST", "/restmq/p/test", "policy=broadcast", Form, Permissions.Manage),
        ("GET", "/restmq/control/test", null, null, Permissions.Any),
        ("POST", "/restmq/control/test", "status=start", Form, Permissions.Manage),
        ("GET", "/restmq/stats/test", null, null, Permissions.Any),
        ("GET", "/restmq/j/test", null, null, Looks),
        ("POST", "/restmq/queue", """{"cmd":"add","queue":"test","value":"x"}""", Json, Permissions.Put),
        ("POST", "/restmq/queue", "body=%7B%22cmd%22%3A%22add%22%2C%22queue%22%3A%22test%22%2C%22value%22%3A1%7D", Form, Permissions.Put),
        ("POST", "/restmq/queue", """{"cmd":"get","queue":"test"}""", Json, Looks),
        ("POST", "/restmq/queue", """{"cmd":"take","queue":"test"}""", Json, Permissions.Take),
        ("POST", "/restmq/queue", """{"cmd":"del","queue":"test","key":"test:1"}""", Json, Cancels),
        ("POST", "/restmq/xmlrpc", Call("set", "test", "x"), "text/xml", Permissions.Put),
        ("POST", "/restmq/xmlrpc", Call("get", "test"), "text/xml", Permissions.Take),
        ("GET", "/presque/q/test", null, null, Permissions.Take),
        ("POST", "/presque/q/test", "{}", Json, Permissions.Put),
        ("PUT", "/presque/q/test", "{}", Json, Permissions.Put),
        ("DELETE", "/presque/q/test", null, null, Permissions.Manage),
        ("POST", "/presque/qb/test", """{"jobs":[1,2]}""", Json, Permissions.Put),
        ("GET", "/presque/qb/test", null, null, Permissions.Take),
        ("GET", "/presque/j/test", null, null, Permissions.Any),
        ("GET", "/presque/status/test", null, null, Permissions.Any),
        ("GET", "/presque/stats/test?with_desc=1", null, null, Looks),
        ("GET", "/presque/control/test", null, null, Permissions.Any),
        ("POST", "/presque/control/test", """{"status":"start"}""", Json, Permissions.Manage),
        ("POST", "/presque/w/test?worker_id=w", null, null, Settles),
        ("DELETE", "/presque/w/test?worker_id=w", null, null, Settles),
        ("GET", "/presque/w/?queue_name=test", null, null, Looks),
        ("POST", "/redisched/t/test/put", """{"id":"a","body":1,"expiration":1}""", Json, Permissions.Put),
        ("POST", "/redisched/t/test/reserve", "{}", Json, Permissions.Take),
        ("POST", "/redisched/t/test/pull", "{}", Json, Permissions.Take),
        ("POST", "/redisched/t/test/release", """{"id":"a"}""", Json, Permissions.Take),
        ("POST", "/redisched/t/test/delete", """{"id":"a"}""", Json, Cancels),
        ("POST", "/redisched/t/test/requeue", "{}", Json, Permissions.Take),
        ("GET", "/redisched/t/test/jobs/a", null, null, Looks),
        ("GET", "/redisched/t/test/ready", null, null, Permissions.Any),
        ("POST", "/redisched/schedule/test", """{"id":"b","contents":1,"delay":0}""", Json, Permissions.Put),
        ("POST", "/redisched/cancel/test", """{"id":"b"}""", Json, Cancels),
        ("POST", "/redisched/subscribe/test", """{"url":"http://127.0.0.1:1/"}""", Json, Permissions.Manage),
        ("DELETE", "/redisched/subscribe/test", null, null, Permissions.Manage),
    ];

    private readonly KeyRing _keys = new();
    private readonly TemporaryDirectory _directory = new();
    private PushQueueServer _server = null!;

    private string AclPath => Path.Combine(_directory.Path, "acl.ini");

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _keys.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Each_request_asks_for_its_own_permission_on_its_own_queue()
    {
        var single = new[] { Permissions.Put, Permissions.Take, Permissions.Listen, Permissions.Manage, Permissions.Stats }
            .ToDictionary(can => can, can => _keys.Add(can, "test"));
        var elsewhere = _keys.Add(Permissions.Any, "another");
        await StartAsync();

        foreach (var (method, path, body, contentType, anyOf) in Requests)
        {
            foreach (var (can, key) in single)
            {
                Assert.True(
                    await IsForbiddenAsync(
                        method,
                        path,
                        body,
                        contentType,
                        key) == !anyOf.HasAny(can), $"{method} {path} {body} with the permission {can}");
            }

            Assert.True(
                await IsForbiddenAsync(method, path, body, contentType, elsewhere),
                $"{method} {path} {body} with a key to another queue");
        }
    }

    [Fact]
    public async Task What_is_refused_has_no_effect()
    {
        var all = _keys.Add(Permissions.Any);
        var elsewhere = _keys.Add(Permissions.Any, "another");
        await StartAsync();
        await SendAsync("POST", "/q/test?id=a", Bearer(all), "kept", "text/plain");

        foreach (var (method, path, body, contentType, _) in Requests)
        {
            Assert.True(await IsForbiddenAsync(method, path, body, contentType, elsewhere), $"{method} {path} {body}");
        }

        var queue = (await SendAsync("GET", "/j/test", Bearer(all))).Json;
        Assert.Equal(
            (1, 0, 0),
            (queue.GetProperty("ready").GetInt32(), queue.GetProperty("leased").GetInt32(), queue.GetProperty("delayed").GetInt32()));
        Assert.Equal(1, queue.GetProperty("counters").GetProperty("put").GetInt32());
        Assert.Equal(0, (await SendAsync("GET", "/w", Bearer(all))).Json.GetProperty("workers").GetArrayLength());
        Assert.Equal(1, (await SendAsync("GET", "/q", Bearer(all))).Json.GetProperty("total").GetInt32());
        Assert.Equal("kept", (await SendAsync("GET", "/q/test", Bearer(all))).Text);
    }

    [Theory]
    [InlineData("/collectd/data", "PUTVAL a/b/c interval=10 1:2", "collectd_data")]
    [InlineData("/collectd/event", "Severity: OKAY\n\ntext", "collectd_event")]
    public async Task Collectd_may_put_on_its_own_queue_alone(string path, string body, string queue)
    {
        var own = _keys.Add(Permissions.Put, queue);
        var other = _keys.Add(Permissions.Any, "test");
        await StartAsync();

        Assert.Equal(403, (await SendAsync("POST", "/restmq" + path, Bearer(other), body, "text/plain")).Status);
        Assert.Equal(200, (await SendAsync("POST", "/restmq" + path, Bearer(own), body, "text/plain")).Status);
    }

    [Fact]
    public async Task Lists_show_only_what_the_key_may_see()
    {
        var all = _keys.Add(Permissions.Any);
        var own = _keys.Add(Permissions.Take, "own.*");
        await StartAsync();
        foreach (var queue in (string[])["own.a", "secret"])
        {
            await SendAsync("POST", $"/presque/q/{queue}", Bearer(all), "{}", Json);
            await SendAsync("POST", $"/presque/w/{queue}?worker_id=at.{queue}", Bearer(all));
        }

        foreach (var path in (string[])["/restmq/q/", "/restmq/stats/", "/restmq/control/", "/presque/", "/presque/status/",
            "/presque/stats/", "/presque/w/"])
        {
            var (everything, some) = (await SendAsync("GET", path, Bearer(all)), await SendAsync("GET", path, Bearer(own)));
            Assert.Equal((200, 200), (everything.Status, some.Status));
            Assert.Contains("own.a", some.Text, StringComparison.Ordinal);
            Assert.Contains("secret", everything.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", some.Text, StringComparison.Ordinal);
        }

        Assert.Equal(1, (await SendAsync("GET", "/restmq/stats/", Bearer(own))).Json.GetProperty("count").GetInt32());
        Assert.Equal(200, (await SendAsync("GET", "/presque/w/?worker_id=at.own.a", Bearer(own))).Status);
        Assert.Equal(404, (await SendAsync("GET", "/presque/w/?worker_id=at.secret", Bearer(own))).Status);
    }

    [Theory]
    [InlineData("/restmq/q/test")]
    [InlineData("/presque/q/test")]
    [InlineData("/redisched/t/test/ready")]
    public async Task A_key_comes_as_bearer_or_basic_and_only_to_streams_in_the_url(string path)
    {
        var key = _keys.Add(Permissions.Any, "test");
        await StartAsync();

        foreach (var header in (string[])[Bearer(key), Basic("anybody", key), Basic(key, "")])
        {
            Assert.NotEqual(401, (await SendAsync("GET", path, header)).Status);
        }

        Assert.Equal(401, (await SendAsync("GET", $"{path}?access_token={key}", null)).Status);
        foreach (var stream in (string[])["/restmq/c/test", "/restmq/sse/test"])
        {
            Assert.Equal(401, (await SendAsync("GET", stream, null)).Status);
            Assert.Equal(200, (await SendAsync("GET", $"{stream}?access_token={key}", null)).Status);
        }

        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(
            new Uri($"ws://{_server.Address.Authority}/restmq/ws/test?access_token={key}"),
            CancellationToken.None).WithTimeout();
        await socket.SendAsync("hello");
        Assert.Equal("hello", await socket.NextAsync());
    }

    [Theory]
    [InlineData("/restmq/c/test")]
    [InlineData("/restmq/sse/test")]
    public async Task A_stream_ends_soon_after_its_key_is_taken_away(string path)
    {
        var key = _keys.Add(Permissions.Listen, "test");
        await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        Assert.Equal(200, (int)response.StatusCode);

        _keys.Remove(key);

        _ = await response.Content.ReadAsStringAsync().WithTimeout();
        Assert.Equal(401, (await SendAsync("GET", path, Bearer(key))).Status);
    }

    [Fact]
    public async Task A_websocket_ends_soon_after_its_queue_is_taken_from_the_key()
    {
        var key = _keys.Add(Permissions.Listen, "test");
        await StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", Bearer(key));
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/restmq/ws/test"), CancellationToken.None).WithTimeout();

        _keys.Grant(key, Permissions.Listen, "another");

        Assert.Contains("4007", await socket.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_have_the_form_of_their_dialect()
    {
        var key = _keys.Add(Permissions.Any, "another");
        await StartAsync();

        foreach (var (authorization, status) in new[] { ((string?)null, 401), (Bearer(key), 403) })
        {
            var restMq = await SendAsync("GET", "/restmq/q/test", authorization);
            Assert.Equal((status, "text/plain"), (restMq.Status, restMq.ContentType));
            Assert.EndsWith(".\r\n", restMq.Text, StringComparison.Ordinal);
            Assert.Equal(
                status == 401,
                restMq.Headers.GetValueOrDefault("WWW-Authenticate", "").Contains("Basic realm=", StringComparison.Ordinal));
            foreach (var path in (string[])["/presque/q/test", "/redisched/t/test/ready"])
            {
                var json = await SendAsync("GET", path, authorization);
                Assert.Equal((status, Json), (json.Status, json.ContentType));
                Assert.Equal("error", Assert.Single(json.Json.EnumerateObject()).Name);
            }
        }
    }

    [Fact]
    public async Task The_rate_of_a_key_counts_every_job_of_a_batch()
    {
        var key = _keys.Add(Permissions.Any, "*", new KeyLimits(MessagesPerSecond: 0.1));
        await StartAsync();

        Assert.Equal(201, (await SendAsync("POST", "/presque/qb/test", Bearer(key), """{"jobs":[1,2,3]}""", Json)).Status);
        var refused = await SendAsync("GET", "/presque/q/test", Bearer(key));

        Assert.Equal((429, Json), (refused.Status, refused.ContentType));
        Assert.InRange(int.Parse(refused.Headers["Retry-After"]), 15, 30);
    }

    [Fact]
    public async Task Where_RestMQs_own_access_file_is_given_too_both_must_allow()
    {
        var key = _keys.Add(Permissions.Any, "test");
        var other = _keys.Add(Permissions.Any, "test");
        await File.WriteAllTextAsync(
            AclPath, $"[rest:producer]\nusername = me\npassword = {key}\n[rest:consumer]\nhosts_deny = all\n[comet:consumer]\nhosts_allow "
                + "= 127.\n");
        await StartAsync(options => options.RestMq.AccessFile = AclPath);

        // Both by one header: the password that the access file asks for is the key.
        Assert.Equal(200, (await PutAsync(Basic("me", key))).Status);
        Assert.Equal(401, (await PutAsync(Basic("me", other))).Status);
        Assert.Equal(401, (await PutAsync(Basic("you", key))).Status);
        Assert.Equal(401, (await PutAsync(Bearer(key))).Status);
        Assert.Equal(401, (await PutAsync(Basic("me", "wrong"))).Status);
        Assert.Equal(403, (await SendAsync("POST", "/restmq/q/another", Basic("me", key), "value=x", Form)).Status);

        // By address alone.
        Assert.Equal(401, (await SendAsync("GET", "/restmq/q/test", Bearer(key))).Status);
        Assert.Equal(200, (await SendAsync("GET", "/restmq/c/test", Bearer(key))).Status);
        Assert.Equal(401, (await SendAsync("GET", "/restmq/c/test", null)).Status);
    }

    [Fact]
    public async Task A_websocket_brings_the_key_and_the_cookie_of_the_access_file()
    {
        var key = _keys.Add(Permissions.Listen, "test");
        await File.WriteAllTextAsync(AclPath, "[websocket:consumer]\nusername = me\npassword = secret\n");
        await StartAsync(options => options.RestMq.AccessFile = AclPath);

        foreach (var (cookie, authorization) in new[] { ("auth=me:secret", null), ("auth=me:wrong", Bearer(key)), (null, Bearer(key)) })
        {
            using var refused = Socket(cookie, authorization);
            await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(refused)).WithTimeout();
            Assert.Equal(401, (int)refused.HttpStatusCode);
        }

        using var socket = Socket("auth=me:secret", Bearer(key));
        await ConnectAsync(socket);
        await socket.SendAsync("hello");
        Assert.Equal("hello", await socket.NextAsync());
    }

    private static string Bearer(string key) => $"Bearer {key}";

    private static string Basic(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    private static string Call(string method, params string[] values) =>
        $"<methodCall><methodName>{method}</methodName><params>{string.Concat(values.Select(value => $"<param><value>{value}</value></param>"))}</params></methodCall>";

    private static ClientWebSocket Socket(string? cookie, string? authorization)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Cookie", cookie);
        socket.Options.SetRequestHeader("Authorization", authorization);
        return socket;
    }

    private Task ConnectAsync(ClientWebSocket socket) =>
        socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/restmq/ws/test"), CancellationToken.None).WithTimeout();

    /// <summary>The keys that the test has made are in force from the start.</summary>
    private async Task StartAsync(Action<PushQueueOptions>? configure = null) => _server = await PushQueueServer.StartAsync(options =>
    {
        options.Security.AccessFile = _keys.Path;
        configure?.Invoke(options);
    });

    private async Task<bool> IsForbiddenAsync(string method, string path, string? body, string? contentType, string key)
    {
        var answer = await SendAsync(method, path, Bearer(key), body, contentType);
        var says = answer.Text.Contains(Lacks, StringComparison.Ordinal);

        // XML-RPC has no other way to refuse than a fault.
        Assert.Equal(
            says,
            answer.Status == 403
                || (answer.ContentType == "text/xml" && answer.Text.Contains("<fault>", StringComparison.Ordinal) && says));
        Assert.NotEqual(401, answer.Status);
        return says;
    }

    private Task<Answer> PutAsync(string authorization) => SendAsync("POST", "/restmq/q/test", authorization, "value=x", Form);

    private async Task<Answer> SendAsync(string method, string path, string? authorization, string? body = null, string? contentType = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        _ = authorization is null || request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();

        // A stream that was opened does not end by itself.
        return response.Headers.TransferEncodingChunked == true && response.IsSuccessStatusCode
            ? new Answer((int)response.StatusCode, response.Content.Headers.ContentType!.ToString(), "", new Dictionary<string, string>())
            : await Answer.ReadAsync(response);
    }
}
