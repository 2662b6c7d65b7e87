using System.Net.WebSockets;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Security;
using PushQueue.Tests.Support;
using PushQueue.Transports;
using PushQueue.Transports.Commands;
using PushQueue.Transports.Json;
using PushQueue.Transports.SignalR;
using Xunit;

namespace PushQueue.Tests.Transports.Json;

/// <summary>
/// JSON that readers trip over, sent to every route, command and hub method that there is: never a 500, and never an error in the log,
/// which the server's logger checks when it ends.
/// </summary>
public sealed class HostileJsonTests : IAsyncLifetime
{
    private const string HalfPair = "\"ab\\ud83d\"";

    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task No_route_fails_at_any_of_it()
    {
        var asked = 0;
        foreach (var (method, path) in Routes())
        {
            foreach (var body in Bodies())
            {
                foreach (var type in (string[])["application/json", "application/x-www-form-urlencoded", "text/plain"])
                {
                    var answer = await _server.SendAsync(method, path, body, type);
                    Assert.True(
                        answer.Status < 500,
                        $"{method} {path} with {type} and {body[..Math.Min(60, body.Length)]}: {answer.Status} {answer.Text}");
                    asked++;
                }
            }
        }

        Assert.True(asked > 500, $"only {asked} requests were made");
    }

    [Theory]
    [InlineData(HalfPair)]
    [InlineData("{\"\\ude00\":1}")]
    [InlineData("[[[[]]]]")]
    public async Task No_command_fails_at_it_in_any_field(string value)
    {
        foreach (var word in Words())
        {
            foreach (var name in JsonNames.All.Where(static name => name is not ("cmd" or "queue" or "wait" or "waitForAck")))
            {
                var answer = await _server.PostAsync("/queue", $$"""{"cmd":"{{word}}","queue":"q","{{name}}":{{value}}}""");
                Assert.True(answer.Status < 500, $"{word} {name}: {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task A_field_that_is_given_twice_is_refused_by_every_command()
    {
        foreach (var word in Words())
        {
            foreach (var name in JsonNames.All)
            {
                var first = name is "cmd" or "queue" ? "" : $$"""{"cmd":"{{word}}","queue":"q","{{name}}":1""";
                var json = name switch
                {
                    "cmd" => $$"""{"cmd":"{{word}}","queue":"q","cmd":"{{word}}","ref":7}""",
                    "queue" => $$"""{"cmd":"{{word}}","queue":"q","queue":"q","ref":7}""",
                    "ref" => $$"""{"cmd":"{{word}}","queue":"q","ref":7,"ref":7}""",
                    _ => $$"""{{first}},"{{name}}":1,"ref":7}""",
                };

                var answer = await _server.PostAsync("/queue", json);

                Assert.Equal(400, answer.Status);
                Assert.Contains("given twice", answer.Detail, StringComparison.Ordinal);
                Assert.Equal(7, answer.Json.GetProperty("ref").GetInt32());
            }
        }
    }

    [Theory]
    [InlineData("POST", "/q/q/batch?envelope=true", """{"body":1,"body":2}""")]
    [InlineData("POST", "/q/q/batch?envelope=true", """[{"body":1,"id":"a","id":"b"}]""")]
    [InlineData("POST", "/q/q/batch?envelope=true", """[{"body":1,"offset":1,"offset":1}]""")]
    [InlineData("PATCH", "/q/q/settings", """{"ttr":"1s","ttr":"2s"}""")]
    [InlineData("PATCH", "/q/q/settings", """{"history":{"age":"1s","age":"2s"}}""")]
    [InlineData("PATCH", "/q/q/settings", """{"history":{},"history":{}}""")]
    [InlineData("POST", "/p/q", """{"policy":"roundrobin","policy":"broadcast"}""")]
    [InlineData("POST", "/control/q", """{"status":"stop","status":"start"}""")]
    [InlineData("POST", "/control/q?status=stop", """{"status":"start"}""")]
    [InlineData("POST", "/control/q", "status=stop&status=start")]
    [InlineData("POST", "/q/q/ack", """[{"id":"1","id":"2","receipt":"0123456789abcdef"}]""")]
    [InlineData("POST", "/q/q/touch", """[{"id":"1","receipt":"0123456789abcdef","receipt":"0123456789abcdef"}]""")]
    [InlineData("POST", "/queue", """{"cmd":"put","queue":"q","value":1,"body":2}""")]
    [InlineData("POST", "/queue", """{"cmd":"put","queue":"q","values":[1],"body":2}""")]
    [InlineData("POST", "/queue", """{"cmd":"ack","queue":"q","items":[{"id":"1","id":"1","receipt":"0123456789abcdef"}]}""")]
    [InlineData("POST", "/queue", """{"cmd":"ack","queue":"q","items":[],"id":"1"}""")]
    [InlineData("POST", "/queue", """{"cmd":"touch","queue":"q","items":[],"receipt":"0123456789abcdef"}""")]
    [InlineData("POST", "/queue", """{"cmd":"release","queue":"q","items":[],"id":"1","receipt":"0123456789abcdef"}""")]
    [InlineData("POST", "/presque/control/q", """{"status":"stop","status":"start"}""")]
    [InlineData("POST", "/presque/w/q", """{"worker_id":"a","worker_id":"b"}""")]
    [InlineData("POST", "/presque/qb/q", """{"jobs":[1],"jobs":[2]}""")]
    [InlineData("POST", "/redisched/t/q/put", """{"id":"1","body":1,"body":2}""")]
    [InlineData("POST", "/restmq/queue", """{"cmd":"add","queue":"q","value":"1","value":"2"}""")]
    public async Task A_field_that_is_given_twice_is_refused_wherever_json_is_read(string method, string path, string json)
    {
        var answer = await _server.SendAsync(method, path, json, "application/json");

        Assert.Equal(400, answer.Status);
        Assert.Equal(204, (await _server.GetAsync("/q/q")).Status);
        Assert.DoesNotContain("\"stopped\"", (await _server.GetAsync("/control/q")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/queue", """{"cmd":"put","queue":"q","value":1}""", 200)]
    [InlineData("POST", "/q/q/batch", """[1]""", 201)]
    [InlineData("POST", "/q/q/batch?envelope=true", """{"body":1}""", 201)]
    [InlineData("PATCH", "/q/q/settings", """{"ttr":"1m"}""", 200)]
    [InlineData("POST", "/p/q", """{"policy":"roundrobin"}""", 200)]
    [InlineData("POST", "/control/q", """{"status":"start"}""", 200)]
    [InlineData("POST", "/q/q/ack", """[{"id":"1","receipt":"0123456789abcdef"}]""", 200)]
    [InlineData("POST", "/presque/q/q", """{"job":1}""", 201)]
    [InlineData("POST", "/presque/qb/q", """{"jobs":[1]}""", 201)]
    [InlineData("POST", "/presque/control/q", """{"status":"start"}""", 200)]
    [InlineData("POST", "/presque/w/q", """{"worker_id":"w"}""", 201)]
    [InlineData("POST", "/restmq/queue", """{"cmd":"add","queue":"q","value":"x"}""", 200)]
    public async Task A_byte_order_mark_before_json_is_skipped(string method, string path, string json, int status)
    {
        var answer = await _server.SendAsync(method, path, "\uFEFF" + json, "application/json");

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task A_body_with_a_byte_order_mark_is_kept_and_shown_as_json()
    {
        await _server.PostAsync("/q/mark", "\uFEFF{\"a\":1}", "application/json");

        Assert.Equal(
            """{"a":1}""",
            (await _server.GetAsync("/q/mark/messages")).Json.GetProperty("messages")[0].GetProperty("body").GetRawText());
        var body = await _server.Client.GetByteArrayAsync("/q/mark").WithTimeout();
        Assert.Equal("\uFEFF{\"a\":1}"u8.ToArray(), body);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    public async Task Half_a_surrogate_pair_is_kept_as_json_and_refused_as_text(string contentType)
    {
        var answer = await _server.PostAsync(
            "/queue",
            $$"""{"cmd":"put","queue":"half","value":{{HalfPair}},"contentType":"{{contentType}}"}""");
        var batch = await _server.PostAsync("/q/half/batch?envelope=true", $$"""{"body":{{HalfPair}},"contentType":"{{contentType}}"}""");

        var isJson = contentType == "application/json";
        Assert.Equal((isJson ? 200 : 400, isJson ? 201 : 400), (answer.Status, batch.Status));
        Assert.Equal(isJson ? HalfPair : "", (await _server.GetAsync("/q/half")).Text);
    }

    [Theory]
    [InlineData("take")]
    [InlineData("lease")]
    public async Task The_deepest_body_is_given_out_by_every_command_with_its_whole_batch(string word)
    {
        var deep = new string('[', 512) + new string(']', 512);
        foreach (var way in (string[])["post", "socket", "hub"])
        {
            await _server.PostAsync("/q/deep/batch", $"1\n{deep}\n2");

            var bodies = way switch
            {
                "post" => Bodies((await _server.PostAsync("/queue", $$"""{"cmd":"{{word}}","queue":"deep","count":9}""")).Text),
                "socket" => Bodies(await AskSocketAsync($$"""{"cmd":"{{word}}","queue":"deep","count":9}""")),
                _ => Bodies(await AskHubAsync(word == "take" ? "Take" : "Lease", """ "deep",{"count":9} """)),
            };

            Assert.Equal(["1", deep, "2"], bodies);
        }
    }

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(512)]
    [InlineData(513)]
    public async Task A_deep_body_is_put_by_every_command_and_leaves_the_connection_open(int depth)
    {
        var deep = new string('[', depth) + new string(']', depth);
        using var socket = await SocketAsync("/ws");
        await SendAsync(socket, $$"""{"cmd":"put","queue":"given","value":{{deep}}}""");
        Assert.Contains("\"ok\":true", await TextAsync(socket), StringComparison.Ordinal);
        using var hub = await HubAsync();
        string[] calls = [$"\"given\",{deep}", $"\"given\",{deep},null", $"\"given\",{deep},{{\"priority\":0}}"];
        foreach (var (call, arguments) in calls.Index())
        {
            await SendAsync(hub, HubSockets.Call($"{call}", "Put", arguments));
            Assert.Contains("\"ok\":true", await CompletionAsync(hub, call), StringComparison.Ordinal);
        }

        await SendAsync(hub, HubSockets.Call("10", "PutMany", $"\"given\",[{deep}],null"));
        Assert.Contains("\"ok\":true", await CompletionAsync(hub, 10), StringComparison.Ordinal);

        Assert.Equal(5, (await _server.GetAsync("/j/given")).Json.GetProperty("ready").GetInt32());
        for (var message = 0; message < 5; message++)
        {
            Assert.Equal(deep, (await _server.GetAsync("/q/given")).Text);
        }
    }

    [Fact]
    public async Task A_deep_argument_where_none_belongs_is_an_error_of_the_call_alone()
    {
        _server.Log.ExpectError("Failed to invoke hub method");
        var deep = new string('[', 100) + new string(']', 100);
        using var hub = await HubAsync();
        string[] methods = ["Put", "Take", "Ack", "Subscribe", "Unsubscribe", "Consume", "Nothing"];
        foreach (var (call, method) in methods.Index())
        {
            await SendAsync(hub, HubSockets.Call($"{call}", method, $"{deep},{deep},{deep}"));
            Assert.Contains("\"error\":", await CompletionAsync(hub, call), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_body_that_is_deeper_than_json_may_be_is_shown_as_base64()
    {
        var deep = new string('[', 513) + new string(']', 513);
        await _server.PostAsync("/q/deeper", deep, "application/json");

        var message = (await _server.GetAsync("/q/deeper/batch")).Json[0];

        Assert.Equal("base64", message.GetProperty("encoding").GetString());
        Assert.Equal("application/json", message.GetProperty("contentType").GetString());
        Assert.Equal(deep, Encoding.ASCII.GetString(message.GetProperty("body").GetBytesFromBase64()));
    }

    [Fact]
    public async Task No_hub_method_fails_at_it_in_any_option()
    {
        var methods = typeof(PushHub).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(static method => method.GetParameters().Any(static parameter => parameter.ParameterType == typeof(JsonElement?))
                && method.ReturnType == typeof(Task<RawJson>)
                || method.Name is "Subscribe" or "Unsubscribe")
            .ToList();
        Assert.True(methods.Count > 5);

        // SignalR's own entry for a call that is refused; the host switches it off.
        _server.Log.ExpectError("Failed to invoke hub method");
        using var socket = await HubAsync();
        var call = 0;
        foreach (var method in methods)
        {
            foreach (var name in JsonNames.All.Where(static name => name is not ("wait" or "waitForAck")))
            {
                string[] given =
                [
                    $$"""{"{{name}}":{{HalfPair}}}""", $$"""{"{{name}}":1,"{{name}}":1}""", "{\"\\ud83d\":1}",
                        "{\"\\ud83d, a long name\":1}",
                ];
                foreach (var options in given)
                {
                    var arguments = method.GetParameters().Select(parameter =>
                        parameter.ParameterType == typeof(string)
                            ? "\"q\""
                            : parameter.ParameterType == typeof(JsonElement)
                            ? HalfPair
                            : options);
                    await SendAsync(socket, HubSockets.Call($"{++call}", method.Name, string.Join(",", arguments)));
                    var answer = await CompletionAsync(socket, call);
                    Assert.DoesNotContain("internal-error", answer, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public async Task No_frame_of_a_websocket_fails_at_it_and_the_reference_comes_back()
    {
        using var socket = await SocketAsync("/ws");
        foreach (var word in Words().Concat(["subscribe", "unsubscribe", "\\ud83d"]))
        {
            foreach (var name in JsonNames.All.Where(static name => name is not ("cmd" or "queue" or "ref" or "wait" or "waitForAck")))
            {
                await SendAsync(socket, $$"""{"cmd":"{{word}}","queue":"q","{{name}}":{{HalfPair}},"ref":1}""");
                var answer = await TextAsync(socket);
                Assert.DoesNotContain("internal-error", answer, StringComparison.Ordinal);
                Assert.Contains("\"ref\":1", answer, StringComparison.Ordinal);
            }
        }
    }

    private IEnumerable<string> Words() => _server.Services.GetRequiredService<CommandExecutor>().Words.Split(", ");

    /// <summary>Every method of every route that has a rule, so that a new route is here by itself. Streams would not end.</summary>
    private IEnumerable<(string Method, string Path)> Routes() =>
        from endpoint in _server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let pattern = endpoint.RoutePattern.RawText!
        where !pattern.StartsWith("/hub", StringComparison.Ordinal) && !pattern.Contains("{**", StringComparison.Ordinal)
        from rule in endpoint.Metadata.GetMetadata<RouteAccess>()?.Rules ?? []
        where rule.Method is "POST" or "PUT" or "PATCH" or "DELETE" && !rule.Rule.Lasts
        select (rule.Method, pattern.Replace("{queue}", "q", StringComparison.Ordinal).Replace("{id}", "1", StringComparison.Ordinal));

    private static IEnumerable<string> Bodies()
    {
        yield return HalfPair;
        yield return $"[{HalfPair}]";
        yield return "{\"\\ud83d\":1}";
        yield return "{\"a\":1,\"a\":1}";
        yield return "\uFEFF{}";
        yield return "{\"a\":";
        yield return new string('[', 10_000);
        yield return new string('[', 520) + new string(']', 520);
        yield return $"{{{string.Join(",", JsonNames.All.Select(static name => $"\"{name}\":{HalfPair}"))}}}";
        yield return $$"""[{"id":{{HalfPair}},"receipt":{{HalfPair}}}]""";
        yield return $$"""{"cmd":"put","queue":"q","value":{{HalfPair}},"contentType":"text/plain"}""";
        yield return $$"""{"jobs":[{{HalfPair}}],"worker_id":{{HalfPair}},"id":{{HalfPair}},"body":{{HalfPair}},"status":{{HalfPair}},"url":{{HalfPair}}}""";
        yield return $$"""{"id":"1","body":{{HalfPair}},"at":1e999,"ttr":-1e-999,"delay":1e400}""";
    }

    private static List<string> Bodies(string answer)
    {
        using var json = JsonDocument.Parse(answer.TrimEnd('\u001e'), new JsonDocumentOptions { MaxDepth = 1024 });
        var root = json.RootElement.TryGetProperty("result", out var result) ? result : json.RootElement;
        return [.. root.GetProperty("messages").EnumerateArray().Select(static message => message.GetProperty("body").GetRawText())];
    }

    private async Task<string> AskSocketAsync(string frame)
    {
        using var socket = await SocketAsync("/ws");
        await SendAsync(socket, frame);
        return await TextAsync(socket);
    }

    private async Task<string> AskHubAsync(string method, string arguments)
    {
        using var socket = await HubAsync();
        await SendAsync(socket, HubSockets.Call("1", method, arguments));
        return await CompletionAsync(socket, 1);
    }

    private async Task<ClientWebSocket> HubAsync()
    {
        var socket = await SocketAsync("/hub");
        await SendAsync(socket, HubSockets.Handshake);
        Assert.Equal("{}\u001e", await TextAsync(socket));
        return socket;
    }

    private async Task<ClientWebSocket> SocketAsync(string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(_server.Address) { Scheme = "ws", Path = path }.Uri, CancellationToken.None).WithTimeout();
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).WithTimeout();

    /// <summary>The answer to a call; messages of subscriptions may come between.</summary>
    private static async Task<string> CompletionAsync(ClientWebSocket socket, int call)
    {
        while (true)
        {
            foreach (var record in (await TextAsync(socket)).Split('\u001e'))
            {
                if (record.Contains($"\"invocationId\":\"{call}\"", StringComparison.Ordinal))
                {
                    return record;
                }
            }
        }
    }

    private static async Task<string> TextAsync(ClientWebSocket socket)
    {
        var buffer = new byte[1 << 16];
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None).AsTask().WithTimeout();
            Assert.Equal(WebSocketMessageType.Text, part.MessageType);
            length += part.Count;
            if (part.EndOfMessage)
            {
                return Encoding.UTF8.GetString(buffer, 0, length);
            }
        }
    }
}
