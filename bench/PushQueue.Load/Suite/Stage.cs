using System.Net.Http.Headers;
using PushQueue.Load.Fanout;
using PushQueue.Load.Operations;

namespace PushQueue.Load.Suite;

/// <summary>The servers of the scenario that runs now, started when first asked for, and the loads that are put on them.</summary>
internal sealed class Stage(Systems systems, SuiteScale scale) : IDisposable
{
    private readonly Dictionary<string, ServerProcess> _running = [];
    private readonly HttpClient _http = new();
    private int _names;

    internal Systems Systems => systems;

    internal SuiteScale Scale => scale;

    internal ServerProcess PushQueue(string durability) => Get(durability, () => systems.StartPushQueue(durability));

    /// <summary>One that asks for <see cref="Key"/> or <see cref="LimitedKey"/>.</summary>
    internal ServerProcess PushQueueWithKeys(string durability) => Get($"{durability} with keys", () =>
    {
        var (server, keys) = systems.StartPushQueueWithKeys(durability);
        (Key, LimitedKey) = (keys[0], keys[1]);
        return server;
    });

    internal string? Key { get; private set; }

    internal string? LimitedKey { get; private set; }

    internal ServerProcess Redis() => Get("redis", systems.StartRedis);

    /// <summary>The node of that number; all of them share one Redis.</summary>
    internal ServerProcess Node(int number) => Get($"node{number}", () => systems.StartNode(Redis()));

    internal ServerProcess Nchan() => Get("nchan", systems.StartNchan);

    internal ServerProcess JetStream() => Get("jetstream", systems.StartJetStream);

    internal ServerProcess Beanstalkd(int flushMs) => Get($"beanstalkd{flushMs}", () => systems.StartBeanstalkd(flushMs));

    /// <summary>Every run has a queue of its own, so that nothing of the one before is found in it.</summary>
    internal string NewName() => $"bench{++_names}";

    /// <param name="server">Where the messages are put.</param>
    /// <param name="shape">The load.</param>
    /// <param name="more">Nodes that share its queues and some of the subscribers.</param>
    internal FanoutResult FanOutPushQueue(ServerProcess server, FanoutShape shape, params ServerProcess[] more)
    {
        var queue = NewName();
        SetPolicy(server, queue, "broadcast");
        var options = shape.Options(server, shape.Kind switch
        {
            SubscriberKind.WebSocket => $"/ws/{queue}",
            SubscriberKind.ServerSentEvents => $"/sse/{queue}",
            SubscriberKind.HttpStream => $"/c/{queue}",
            _ => "/hub",
        }, $"/q/{queue}", queue);
        var result = new FanoutRun(options with
        {
            MorePorts = [.. more.Select(node => node.Port)],
            Pids = [.. options.Pids, .. more.SelectMany(node => node.Pids)],
        }).Execute();
        Forget(server, queue);
        return result;
    }

    internal FanoutResult FanOutNchan(ServerProcess server, FanoutShape shape)
    {
        var channel = NewName();
        return new FanoutRun(shape.Options(server, $"/sub/{channel}", $"/pub/{channel}", channel)).Execute();
    }

    internal void SetPolicy(ServerProcess server, string queue, string policy) =>
        Call(HttpMethod.Post, server, $"/p/{queue}", new FormUrlEncodedContent([new("policy", policy)]));

    internal void Set(ServerProcess server, string queue, string settings) =>
        Call(HttpMethod.Patch, server, $"/q/{queue}/settings", new StringContent(settings));

    internal void PutOne(ServerProcess server, string queue, string text) =>
        Call(HttpMethod.Post, server, $"/q/{queue}", new StringContent(text));

    /// <summary>After a run: its backlog and history must not weigh on the next.</summary>
    internal void Forget(ServerProcess server, string queue, string? key = null) =>
        Call(HttpMethod.Delete, server, $"/q/{queue}", null, key);

    internal static OperationResult Operate(OperationOptions options) => new OperationRun(options).Execute();

    public void Dispose()
    {
        foreach (var server in Enumerable.Reverse(_running.Values)) // a node ends before its Redis does
        {
            server.Dispose();
        }

        _running.Clear();
        _http.Dispose();
        systems.RemoveFolders();
    }

    private ServerProcess Get(string key, Func<ServerProcess> start)
    {
        if (!_running.TryGetValue(key, out var server))
        {
            _running[key] = server = start();
        }

        return server;
    }

    private void Call(HttpMethod method, ServerProcess server, string path, HttpContent? content, string? key = null)
    {
        using var request = new HttpRequestMessage(method, $"http://127.0.0.1:{server.Port}{path}") { Content = content };
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using var answer = _http.Send(request);
        if (!answer.IsSuccessStatusCode)
        {
            throw new LoadException($"{method} {path} answered {(int)answer.StatusCode}");
        }
    }
}

/// <summary>A fan-out run without the names of one system.</summary>
internal sealed record FanoutShape(
    SubscriberKind Kind,
    int Subscribers,
    int Messages,
    double Rate = 0,
    int Slow = 0,
    double SettleSeconds = 0.5)
{
    internal FanoutOptions Options(ServerProcess server, string subscribePath, string publishPath, string queue) => new()
    {
        Port = server.Port,
        Kind = Kind,
        SubscribePath = subscribePath,
        PublishPath = publishPath,
        Subscribers = Subscribers,
        Messages = Messages,
        Rate = Rate,
        Slow = Slow,
        ReaderPauseMs = Rate > 0 ? 0 : 1,
        Settle = TimeSpan.FromSeconds(SettleSeconds),
        SignalRArguments = $"[\"{queue}\"]",
        Pids = server.Pids,
    };
}
