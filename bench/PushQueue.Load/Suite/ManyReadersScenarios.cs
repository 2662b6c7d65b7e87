using System.Globalization;
using PushQueue.Load.Fanout;
using PushQueue.Load.Measuring;
using PushQueue.Load.Operations;

namespace PushQueue.Load.Suite;

/// <summary>The cost of one put for many readers: copies into subscribers, keys, and streams over many queues.</summary>
internal static class ManyReadersScenarios
{
    private const string Synced = "synced";
    private const string Copied = "10 subscribers";
    private const string Alone = "no subscribers";
    private const string Thousand = "1,000 subscribers";
    private const string KeysEmbedded = "PushQueue interval:50ms, 10,000 keys";
    private const string PlainEmbedded = "PushQueue interval:50ms, no keys";
    private const string KeysRedis = "Redis, 10,000 keys";
    private const string PlainRedis = "Redis, no keys";
    private const string OneStream = "a stream over 100 queues";
    private const string Sockets = "100 WebSockets";
    private const string Difference = "PushQueue synced, with keys minus without";
    private const int Subscribers = 10;
    private const int ManySubscribers = 1000;
    private const int Queues = 100;
    private const int Pages = 20;
    private const int Keys = 10_000;

    internal static IEnumerable<Scenario> All(Stage stage)
    {
        yield return new Scenario("copies",
            [new(Alone, () => Put(stage, 0), WarmUp: true), new(Copied, () => Put(stage, Subscribers), WarmUp: true)],
            [
                new(
                    "Put over REST, 16 connections, 10 subscribers of the queue: server CPU µs per put",
                    Figure.CpuMicros,
                    Copied,
                    Alone,
                    Target.Most(3)),
                new("… flushes to disk per put", Figure.FlushesPerOperation, Copied, Alone),
                new("… messages/s", Figure.PerSecond, Copied, Alone),
            ]);
        yield return new Scenario("copies-1000",
            [new(Thousand, () => PutToThousand(stage), WarmUp: true)],
            [
                new(
                    "100 puts/s into a queue with 1,000 subscribers, each full and dropping its oldest: p99 ms from put to delivery",
                    Figure.P99Ms,
                    Thousand),
                new("… server, % of a core", Figure.NodeCpuPercent, Thousand),
                new("… puts/s", Figure.PerSecond, Thousand, null, Target.Least(99)),
            ], RunsMax: 2);
        yield return new Scenario("lease-ack-keys",
            [
                new(PlainEmbedded, () => LeaseAndAck(stage, stage.PushQueue("interval:50ms"), 0), WarmUp: true),
                new(KeysEmbedded, () => LeaseAndAck(stage, stage.PushQueue("interval:50ms"), Keys), WarmUp: true),
            ],
            [
                new(
                    "Lease + ack over REST, 64 connections, 10,000 keys in rotation: pairs/s",
                    Figure.PerSecond,
                    KeysEmbedded,
                    PlainEmbedded,
                    Target.Least(0.85)),
                new("… server CPU µs per pair", Figure.CpuMicros, KeysEmbedded, PlainEmbedded),
            ]);
        yield return new Scenario("redis-lease-ack-keys",
            [
                new(PlainRedis, () => LeaseAndAck(stage, stage.Node(1), 0, stage.Redis()), WarmUp: true),
                new(KeysRedis, () => LeaseAndAck(stage, stage.Node(1), Keys, stage.Redis()), WarmUp: true),
            ],
            [
                new(
                    "Lease + ack over REST, 64 connections, Redis, 10,000 keys in rotation: pairs/s",
                    Figure.PerSecond,
                    KeysRedis,
                    PlainRedis,
                    Target.Least(0.85)),
                new("… CPU µs of the node per pair", Figure.CpuMicros, KeysRedis, PlainRedis),
                new("… CPU µs of Redis per pair", Figure.RedisCpuMicros, KeysRedis, PlainRedis),
            ]);
        yield return new Scenario("many-stream",
            [new(Sockets, () => FanOut(stage, isOne: false), WarmUp: true), new(OneStream, () => FanOut(stage, isOne: true), WarmUp: true)],
            [
                new(
                    $"{Pages} pages that each read 100 queues over one WebSocket, compared with a WebSocket for each queue: "
                        + "server CPU µs per delivery",
                    Figure.CpuMicros,
                    OneStream,
                    Sockets,
                    Target.Most(1.2)),
                new("… deliveries/s", Figure.PerSecond, OneStream, Sockets),
            ]);
        yield return Backlog(stage);
    }

    private static Sample Put(Stage stage, int subscribers)
    {
        var (server, queue) = (stage.PushQueue(Synced), stage.NewName());
        var readers = Subscribe(stage, server, queue, subscribers, "{\"subscriptions\":[\"" + queue + "\"]}");
        var flushes = Flushes(server);
        var sample = QueueScenarios.ToSample(Stage.Operate(Options(server, queue, OperationKind.Put) with
        {
            Operations = stage.Scale.Operations,
        }));
        sample[Figure.FlushesPerOperation] = (Flushes(server) - flushes) / stage.Scale.Operations;
        Forget(stage, server, [queue, .. readers]);
        return sample;
    }

    private static Sample PutToThousand(Stage stage)
    {
        var (server, queue) = (stage.PushQueue(Synced), stage.NewName());
        stage.SetPolicy(server, queue, "broadcast");
        var settings = "{\"maxMessages\":100,\"overflow\":\"drop-oldest\",\"subscriptions\":[\"" + queue + "\"]}";
        var readers = Subscribe(stage, server, queue, ManySubscribers, settings);
        const int Rate = 100;
        var messages = stage.Scale.PacedMessages;
        var options = new FanoutOptions
        {
            Port = server.Port,
            Kind = SubscriberKind.WebSocket,
            SubscribePath = $"/ws/{queue}",
            PublishPath = $"/q/{queue}",
            Subscribers = 1,
            Messages = messages,
            Rate = Rate,
            Pids = server.Pids,
        };
        var begun = Clock.Now;
        var cpu = ProcessGauge.CpuSeconds(server.Pids);
        var result = new FanoutRun(options).Execute();
        var sample = FanoutScenarios.ToSample(result);
        sample[Figure.NodeCpuPercent] = (ProcessGauge.CpuSeconds(server.Pids) - cpu) / Clock.SecondsSince(begun) * 100;
        sample[Figure.PerSecond] = result.PublishedPerSecond;
        Forget(stage, server, [queue, .. readers]);
        return sample;
    }

    private static Sample LeaseAndAck(Stage stage, ServerProcess server, int keys, ServerProcess? redis = null)
    {
        var queue = stage.NewName();
        stage.SetPolicy(server, queue, "roundrobin");
        var options = Options(server, queue, OperationKind.Batch) with
        {
            Connections = 1, Window = 1000, Operations = stage.Scale.Operations,
        };
        _ = Stage.Operate(options with { Keys = keys });
        var redisCpu = redis is null ? 0 : ProcessGauge.CpuSeconds(redis.Pids);
        var sample = QueueScenarios.ToSample(Stage.Operate(options with { Kind = OperationKind.LeaseAck, Connections = 64, Window = 1 }));
        sample[Figure.RedisCpuMicros] = redis is null
            ? 0
            : (ProcessGauge.CpuSeconds(redis.Pids) - redisCpu) * 1e6 / stage.Scale.Operations;
        stage.Forget(server, queue);
        return sample;
    }

    /// <summary>Some pages read all the queues: each over one stream, or each over a connection for every queue.</summary>
    private static Sample FanOut(Stage stage, bool isOne)
    {
        var (server, prefix) = (stage.PushQueue(Synced), stage.NewName());
        string[] queues = [.. Enumerable.Range(0, Queues).Select(number => $"{prefix}-{number}")];
        Array.ForEach(queues, queue => stage.SetPolicy(server, queue, "broadcast"));
        var result = new FanoutRun(new FanoutOptions
        {
            Port = server.Port,
            Kind = SubscriberKind.WebSocket,
            SubscribePath = isOne ? $"/ws?match={prefix}-*" : $"/ws/{prefix}-%d",
            PublishPath = $"/q/{prefix}-%d",
            Queues = Queues,
            Publishers = Queues,
            Subscribers = isOne ? Pages : Pages * Queues,
            Messages = stage.Scale.FullSpeedMessages * 10,
            ReaderPauseMs = 1,
            Pids = server.Pids,
        }).Execute();
        Forget(stage, server, queues);
        return FanoutScenarios.ToSample(result);
    }

    private static Scenario Backlog(Stage stage)
    {
        var messages = stage.Scale.SmallBacklog;
        var keys = messages / 10;
        return new Scenario("backlog-keys",
            [new(Difference, () =>
            {
                var plain = new StartupRun(stage.Systems, messages, 100).Execute();
                var keyed = new StartupRun(stage.Systems, messages, 100, keys).Execute();
                stage.Systems.RemoveFolders();
                return new Sample
                {
                    [Figure.Seconds] = keyed.SecondsUntilListening,
                    [Figure.NodeBytes] = (keyed.MegabytesAfterStart - plain.MegabytesAfterStart) * 1024 * 1024 / messages,
                    Problem = plain.Kept && keyed.Kept ? null : "the backlog was not there after the restart",
                };
            })],
            [
                new(
                    $"{messages:N0} waiting messages of 100 bytes over {keys:N0} keys: seconds from start to listening (with keys)",
                    Figure.Seconds,
                    Difference,
                    null,
                    Target.Most(6)),
                new("… bytes of memory a message, with keys minus without", Figure.NodeBytes, Difference, null, Target.Most(60)),
            ], RunsMax: 3);
    }

    private static string[] Subscribe(Stage stage, ServerProcess server, string queue, int count, string settings)
    {
        string[] readers = [.. Enumerable.Range(0, count).Select(number => $"{queue}-reader-{number}")];
        Array.ForEach(readers, reader => stage.Set(server, reader, settings));
        return readers;
    }

    private static void Forget(Stage stage, ServerProcess server, IEnumerable<string> queues)
    {
        foreach (var queue in queues)
        {
            stage.Forget(server, queue);
        }
    }

    private static double Flushes(ServerProcess server)
    {
        const string Metric = "pushqueue_store_flush_duration_seconds_count";
        using var http = new HttpClient();
        var text = http.GetStringAsync($"http://127.0.0.1:{server.Port}/metrics").GetAwaiter().GetResult();
        var line = text.Split('\n').FirstOrDefault(static line => line.StartsWith(Metric, StringComparison.Ordinal))
            ?? throw new LoadException($"/metrics has no {Metric}");
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }

    private static OperationOptions Options(ServerProcess server, string queue, OperationKind kind) => new()
    {
        Kind = kind,
        Port = server.Port,
        Queue = queue,
        Pids = server.Pids,
    };
}
