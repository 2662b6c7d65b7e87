using System.Net.WebSockets;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Security;
using PushQueue.Tests.Support;
using PushQueue.Transports.Commands;
using PushQueue.Transports.SignalR;
using Xunit;

namespace PushQueue.Tests.Security;

/// <summary>
/// Made from the tables themselves: a route, command or hub method that asks for no permission fails here without being named.
/// </summary>
public sealed class AccessTableTests : IAsyncLifetime
{
    private const string Form = "application/x-www-form-urlencoded";

    /// <summary>The routes that are public on purpose.</summary>
    private static readonly string[] PublicRoutes = ["/healthz", "/readyz", "/openapi/v1.json", "/{**path}"];

    /// <summary>Requests that name the queue "test" elsewhere than in their paths: a query string, a body, its content type.</summary>
    private static readonly Dictionary<string, (
        string Query,
        string? Body,
        string ContentType)[]> NamingRequests = new(StringComparer.Ordinal)
    {
        ["GET /restmq"] = [("?queue=test", null, "")],
        ["POST /restmq"] = [("", "queue=test&value=x", Form), ("?queue=test&value=x", "", Form)],
        ["POST /restmq/queue"] =
        [
            ("", """{"cmd":"add","queue":"test","value":"x"}""", "application/json"),
            ("", """{"cmd":"get","queue":"test"}""", ""),
            ("", "body=%7B%22cmd%22%3A%22take%22%2C%22queue%22%3A%22test%22%7D", Form),
            ("", """{"cmd":"del","queue":"test","key":"test:1"}""", Form),
        ],
        ["POST /restmq/xmlrpc"] = [("", XmlRpc("set", "<param><value>x</value></param>"), "text/xml"), ("", XmlRpc("get", ""), "text/xml")],
        ["GET /c"] = [("?queue=test", null, ""), ("?match=*&queue=test", null, "")],
        ["GET /sse"] = [("?queue=test", null, "")],
        ["GET /presque/w"] = [("?queue_name=test", null, "")],
    };

    private readonly KeyRing _keys = new();
    private PushQueueServer _server = null!;
    private string _all = "";
    private string _none = "";

    public async ValueTask InitializeAsync()
    {
        _all = _keys.Add(Permissions.Any);
        _none = _keys.Add(Permissions.Any, "another");
        _server = await PushQueueServer.StartAsync(options => options.Security.AccessFile = _keys.Path);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _keys.Dispose();
    }

    [Fact]
    public async Task Every_method_of_every_route_asks_for_a_key_and_for_its_permission()
    {
        var asked = 0;
        foreach (var endpoint in Endpoints)
        {
            var access = endpoint.Metadata.OfType<RouteAccess>().LastOrDefault();
            Assert.True(access is not null, $"{endpoint.RoutePattern.RawText} says nothing of who may use it.");
            foreach (var (method, rule) in access.Rules)
            {
                var path = PathOf(endpoint.RoutePattern);
                if (method == "CONNECT")
                {
                    // HTTP/2 opens a WebSocket by it; HttpClient cannot send it as it is.
                    Assert.Equal(access.Of("GET"), rule);
                    continue;
                }

                if (rule.Scope == AccessScope.Public)
                {
                    Assert.True(IsPublic(endpoint), $"{method} {path} is open to everybody.");
                    continue;
                }

                foreach (var one in MethodsOf(endpoint, method))
                {
                    var what = $"{one} {path}";
                    asked++;
                    if (rule.Scope == AccessScope.QueueInRequest)
                    {
                        await AskWithNamesAsync(what, one, path);
                        continue;
                    }

                    var (without, with) = (await AskAsync(one, path, null), await AskAsync(one, path, _none));
                    Assert.True(without == 401, $"{what} without a key answers {without}.");
                    Assert.True(
                        (await AskAsync(one, path, "pq_0123456789_" + new string('A', 43))) == 401,
                        $"{what} lets in a key that nobody knows.");
                    Assert.True(
                        rule.Scope == AccessScope.AnyKey ? with is not 401 and not 403 : with == 403,
                        $"{what} without the permission answers {with}.");
                    Assert.True(
                        await AskAsync(one, path, _all) is not 401 and not 403,
                        $"{what} is refused to a key that may do everything.");
                }
            }
        }

        Assert.True(asked > 90, $"Only {asked} methods were found.");
    }

    [Fact]
    public async Task A_route_that_says_nothing_serves_nobody()
    {
        var builder = WebApplication.CreateSlimBuilder();
        using var data = new TemporaryDirectory();
        builder.Services.AddPushQueue(options =>
        {
            options.Storage.DataDirectory = data.Path;
            options.Security.AccessFile = _keys.Path;
        });
        await using var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.Checked().MapGet("/forgotten", static () => "secret");
        await app.StartAsync().WithTimeout();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, app.Urls.First() + "/forgotten");
        request.Headers.Add("Authorization", $"Bearer {_all}");

        var answer = await Answer.ReadAsync(await client.SendAsync(request).WithTimeout());
        await app.StopAsync().WithTimeout();

        Assert.Equal((403, "forbidden"), (answer.Status, answer.Problem));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_command_asks_for_its_permission(bool overSocket)
    {
        var words = _server.Services.GetRequiredService<CommandExecutor>().Words.Split(", ").Concat(["add", "get", "del"]).ToList();
        Assert.True(words.Count > 10);
        using var socket = await ConnectAsync("/ws", _none);
        foreach (var word in words.Concat(overSocket ? ["subscribe"] : []))
        {
            var command = $$"""{"cmd":"{{word}}","queue":"test","value":1,"policy":"roundrobin","status":"stop"}""";
            var answer = overSocket ? await SayAsync(socket, command) : (await SendAsync("POST", "/queue", _none, command)).Text;

            Assert.True(answer.Contains("\"error\":\"forbidden\"", StringComparison.Ordinal), $"{word}: {answer}");
        }
    }

    // WatchQueues is for every key: it shows what the key may see (WatchRightsTests). Authenticate asks for the token itself (TokenTests).
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_method_of_the_hub_asks_for_its_permission(bool negotiate)
    {
        var methods = typeof(PushHub).GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
            .Where(static method => method.Name is not (nameof(PushHub.Unsubscribe) or nameof(PushHub.WatchQueues)
                or nameof(PushHub.Authenticate))).ToList();
        Assert.True(methods.Count > 10);
        _server.Log.ExpectError("Failed to invoke hub method");
        using var socket = await OpenHubAsync(_none, negotiate);
        foreach (var method in methods)
        {
            var arguments = method.GetParameters().Where(static parameter => parameter.ParameterType != typeof(CancellationToken))
                .Select(
                    static parameter =>
                        parameter.ParameterType == typeof(string) ? "\"test\"" : parameter.Name == "options" ? "{}" : "\"1\"");
            var streams = method.ReturnType.Name.StartsWith("IAsyncEnumerable", StringComparison.Ordinal)
                || method.Name == nameof(PushHub.Consume);
            var type = streams ? 4 : 1;
            await socket.SendAsync(
                $"{{\"type\":{type},\"invocationId\":\"1\",\"target\":\"{method.Name}\",\"arguments\":[{string.Join(',', arguments)}]}}\u001e");
            var answer = await socket.NextRecordAsync();

            Assert.True(answer.Contains("forbidden: ", StringComparison.Ordinal), $"{method.Name}: {answer}");
        }
    }

    private IEnumerable<RouteEndpoint> Endpoints =>
        _server.Services.GetRequiredService<EndpointDataSource>().Endpoints.Cast<RouteEndpoint>();

    /// <summary>
    /// The routes of <see cref="PublicRoutes"/> and those that only refuse: wrong methods, and requests that a dialect does not serve.
    /// </summary>
    private static bool IsPublic(RouteEndpoint endpoint) =>
        PublicRoutes.Contains(endpoint.RoutePattern.RawText) || endpoint.Order is 1 or int.MaxValue - 1;

    private static IEnumerable<string> MethodsOf(RouteEndpoint endpoint, string? method) =>
        method is not null ? [method] : endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods
            ? methods.Where(static one => one != "CONNECT")
            : ["GET", "POST"];

    private static string PathOf(RoutePattern pattern) => string.Concat(pattern.PathSegments.Select(static segment =>
        "/" + string.Concat(segment.Parts.Select(static part => part is RoutePatternLiteralPart literal ? literal.Content : "test"))));

    /// <summary>Where the request names its queue, it must first be read: so the refusal may come in the words of its API.</summary>
    private async Task AskWithNamesAsync(string what, string method, string path)
    {
        Assert.True(NamingRequests.TryGetValue(what, out var requests), $"{what} needs requests here that name the queue \"test\".");
        foreach (var (query, body, contentType) in requests)
        {
            var request = $"{what}{query} {body}";
            Assert.True(
                (await AskAsync(method, path + query, null, body, contentType)).Status == 401,
                $"{request} without a key is let in.");
            var with = await AskAsync(method, path + query, _none, body, contentType);
            Assert.True(
                with.Text.Contains("lacks the permission", StringComparison.Ordinal),
                $"{request} without the permission answers {with.Text}.");
            var all = await AskAsync(method, path + query, _all, body, contentType);
            Assert.False(
                all.Text.Contains("lacks the permission", StringComparison.Ordinal),
                $"{request} is refused to a key that may do everything.");
        }
    }

    private static string XmlRpc(string method, string more) =>
        $"<methodCall><methodName>{method}</methodName><params><param><value>test</value></param>{more}</params></methodCall>";

    private async Task<Answer> AskAsync(string method, string path, string? key, string? body, string contentType)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        _ = key is null || request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body));
            _ = contentType.Length > 0 && request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        var isStream = response.Content.Headers.ContentType?.MediaType is "text/event-stream" or "application/x-ndjson";
        return isStream ? new Answer((int)response.StatusCode, "", "", new Dictionary<string, string>()) : await Answer.ReadAsync(response);
    }

    /// <summary>The status. Streams begin, and are left.</summary>
    private async Task<int> AskAsync(string method, string path, string? key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        _ = key is null || request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        using var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        return (int)response.StatusCode;
    }

    private async Task<Answer> SendAsync(string method, string path, string key, string body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent(body) };
        request.Headers.Add("Authorization", $"Bearer {key}");
        return await _server.SendAsync(request);
    }

    private static async Task<string> SayAsync(ClientWebSocket socket, string command)
    {
        await socket.SendAsync(command);
        return await socket.NextAsync();
    }

    private async Task<ClientWebSocket> ConnectAsync(string path, string key)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {key}");
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
        return socket;
    }

    private async Task<ClientWebSocket> OpenHubAsync(string key, bool negotiate)
    {
        var path = "/hub";
        if (negotiate)
        {
            using var json = JsonDocument.Parse((await SendAsync("POST", "/hub/negotiate?negotiateVersion=1", key, "")).Text);
            path += $"?id={json.RootElement.GetProperty("connectionToken").GetString()}";
        }

        var socket = await ConnectAsync(path, key);
        await socket.SendAsync(HubSockets.Handshake);
        Assert.Equal("{}\u001e", await socket.NextAsync());
        return socket;
    }
}
