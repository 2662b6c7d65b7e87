using System.Globalization;
using System.Net.Sockets;
using System.Text;
using PushQueue.Load.Fanout;
using PushQueue.Load.Measuring;
using PushQueue.Load.Operations;

namespace PushQueue.Load.Suite;

/// <summary>The cost of sharing queues over Redis, compared with one node with the embedded store.</summary>
internal static class ClusterScenarios
{
    private const string Interval = "interval:50ms";
    private const string Embedded = "PushQueue " + Interval;
    private const string OneNode = "Redis, one node";
    private const string TwoNodes = "Redis, two nodes";
    private const string IdleQueues = "Redis, one node with idle queues";

    internal static IEnumerable<Scenario> All(Stage stage)
    {
        yield return new Scenario("redis-put",
            [Put(stage, Embedded, 16), Put(stage, OneNode, 16)],
            [new(
                 "Put over REST, 16 connections, Redis (append-only, flushed every second): messages/s",
                 Figure.PerSecond,
                 OneNode,
                 Embedded,
                 Target.Least(0.5)),
             new("… CPU µs of the node per put", Figure.CpuMicros, OneNode, Embedded),
             new("… CPU µs of Redis per put", Figure.RedisCpuMicros, OneNode)]);
        yield return new Scenario("redis-put-64",
            [Put(stage, Embedded, 64), Put(stage, OneNode, 64)],
            [new("Put over REST, 64 connections, Redis: messages/s", Figure.PerSecond, OneNode, Embedded, Target.Least(0.5)),
             new("… CPU µs of the node per put", Figure.CpuMicros, OneNode, Embedded),
             new("… CPU µs of Redis per put", Figure.RedisCpuMicros, OneNode)]);
        yield return new Scenario("redis-take",
            [Take(stage, Embedded), Take(stage, OneNode)],
            [new("Take over REST, 64 connections, Redis: messages/s", Figure.PerSecond, OneNode, Embedded),
             new("… CPU µs of the node per take", Figure.CpuMicros, OneNode, Embedded),
             new("… CPU µs of Redis per take", Figure.RedisCpuMicros, OneNode)]);

        var shape = new FanoutShape(SubscriberKind.WebSocket, stage.Scale.Subscribers, stage.Scale.FullSpeedMessages);
        yield return new Scenario("redis-fanout",
            [
                FanOut(stage, Embedded, shape),
                FanOut(stage, OneNode, shape),
                FanOut(stage, TwoNodes, shape),
            ],
            [new(
                 $"WebSocket, {stage.Scale.Subscribers / 2:N0} subscribers on each of two nodes, full speed: "
                 + "deliveries/s, compared with all on one",
                 Figure.PerSecond,
                 TwoNodes,
                 OneNode,
                 Target.Least(0.7)),
             new("… compared with all on one node with the embedded store", Figure.PerSecond, TwoNodes, Embedded),
             new("… CPU µs of the nodes per delivery", Figure.CpuMicros, TwoNodes, OneNode),
             new("… CPU µs of Redis per message", Figure.RedisCpuMicros, TwoNodes, OneNode),
             new("… p99 ms", Figure.P99Ms, TwoNodes, OneNode)]);
        yield return Idle(stage);
    }

    private static Contender Put(Stage stage, string name, int connections) => new(name, () =>
    {
        var (server, options) = Prepare(stage, name, connections);
        var sample = Operate(stage, name, options);
        stage.Forget(server, options.Queue);
        return sample;
    }, WarmUp: true);

    private static Contender Take(Stage stage, string name) => new(name, () =>
    {
        var (server, options) = Prepare(stage, name, connections: 64);
        _ = Stage.Operate(options);
        var sample = Operate(stage, name, options with { Kind = OperationKind.Take });
        stage.Forget(server, options.Queue);
        return sample;
    }, WarmUp: true);

    private static Contender FanOut(Stage stage, string name, FanoutShape shape) => new(name, () =>
    {
        ServerProcess[] nodes = name switch
        {
            Embedded => [stage.PushQueue(Interval)],
            OneNode => [stage.Node(1)],
            _ => [stage.Node(1), stage.Node(2)],
        };
        var redis = RedisCpu(stage, name);
        var result = stage.FanOutPushQueue(nodes[0], shape, nodes[1..]);
        var perMessage = (RedisCpu(stage, name) - redis) * 1e6 / shape.Messages;
        var sample = FanoutScenarios.ToSample(result);
        sample[Figure.RedisCpuMicros] = perMessage;
        return sample;
    }, WarmUp: true);

    /// <summary>A queue that rests should cost memory only: nobody may ask for it again and again.</summary>
    private static Scenario Idle(Stage stage)
    {
        var queues = stage.Scale.IdleQueues;
        return new Scenario("redis-idle",
            [
                new(IdleQueues, () =>
                {
                    using var redis = stage.Systems.StartRedis();
                    using var node = stage.Systems.StartNode(redis);
                    var (redisBefore, nodeBefore) = (RedisBytes(redis), ProcessGauge.ResidentMegabytes(node.Pids));
                    for (var i = 0; i < queues; i++)
                    {
                        stage.PutOne(node, $"idle-{i}", new string('x', 100));
                    }

                    var (redisAfter, nodeAfter) = (RedisBytes(redis), ProcessGauge.ResidentMegabytes(node.Pids));
                    var (redisCpu, nodeCpu) = (ProcessGauge.CpuSeconds(redis.Pids), ProcessGauge.CpuSeconds(node.Pids));
                    var begun = Clock.Now;
                    Thread.Sleep(TimeSpan.FromSeconds(stage.Scale.IdleSeconds));
                    var seconds = Clock.SecondsSince(begun);
                    return new Sample
                    {
                        [Figure.RedisCpuPercent] = (ProcessGauge.CpuSeconds(redis.Pids) - redisCpu) / seconds * 100,
                        [Figure.NodeCpuPercent] = (ProcessGauge.CpuSeconds(node.Pids) - nodeCpu) / seconds * 100,
                        [Figure.RedisBytes] = (redisAfter - redisBefore) / queues,
                        [Figure.NodeBytes] = (nodeAfter - nodeBefore) * 1024 * 1024 / queues,
                    };
                }),
            ],
            [new($"{queues:N0} idle queues of one message of 100 bytes: Redis, % of a core", Figure.RedisCpuPercent, IdleQueues),
             new("… node, % of a core", Figure.NodeCpuPercent, IdleQueues),
             new("… bytes of Redis's memory a queue", Figure.RedisBytes, IdleQueues),
             new("… bytes of the node's memory a queue", Figure.NodeBytes, IdleQueues)], RunsMax: 2);
    }

    private static (ServerProcess Server, OperationOptions Options) Prepare(Stage stage, string name, int connections)
    {
        var server = name == Embedded ? stage.PushQueue(Interval) : stage.Node(1);
        return (server, Options(stage, server) with { Queue = stage.NewName(), Connections = connections });
    }

    private static Sample Operate(Stage stage, string name, OperationOptions options)
    {
        var redis = RedisCpu(stage, name);
        var sample = QueueScenarios.ToSample(Stage.Operate(options));
        sample[Figure.RedisCpuMicros] = (RedisCpu(stage, name) - redis) * 1e6 / options.Operations;
        return sample;
    }

    private static double RedisCpu(Stage stage, string name) => name == Embedded ? 0 : ProcessGauge.CpuSeconds(stage.Redis().Pids);

    private static OperationOptions Options(Stage stage, ServerProcess server) => new()
    {
        Kind = OperationKind.Put,
        Port = server.Port,
        Connections = 64,
        Operations = stage.Scale.Operations,
        Pids = server.Pids,
    };

    /// <summary>Redis's own count: what its process holds moves in steps of its allocator.</summary>
    private static double RedisBytes(ServerProcess redis)
    {
        const string Field = "used_memory:";
        using var client = new TcpClient("127.0.0.1", redis.Port);
        using var stream = client.GetStream();
        stream.Write("INFO memory\r\n"u8);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith(Field, StringComparison.Ordinal))
            {
                return double.Parse(line.AsSpan(Field.Length), CultureInfo.InvariantCulture);
            }
        }

        throw new LoadException("Redis's INFO has no used_memory");
    }
}
