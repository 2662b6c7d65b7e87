using PushQueue.Load.Operations;

namespace PushQueue.Load.Suite;

/// <summary>Put, take, batch, lease and ack. Each contender's name says what it keeps: some of the peers keep nothing.</summary>
internal static class QueueScenarios
{
    private const string Nchan = "nchan (memory only)";
    private const string JetStream = "JetStream (file, no flush per message)";
    private const string Beanstalkd = "beanstalkd (flush every 50 ms)";
    private const string Synced = "PushQueue synced";
    private const string Interval = "PushQueue interval:50ms";
    private const string LeaseAck = "PushQueue synced, lease + ack";

    internal static IEnumerable<Scenario> PutAndTake(Stage stage)
    {
        yield return new Scenario("put-synced",
            [PushQueuePut(stage, Synced, 64), NchanPut(stage, 64)],
            [new("Put over REST, 64 connections: messages/s", Figure.PerSecond, Synced, Nchan, Target.Least(0.6)),
             new("… server CPU µs per put", Figure.CpuMicros, Synced, Nchan)]);
        yield return new Scenario("put-interval",
            [PushQueuePut(stage, Interval, 16), NchanPut(stage, 16), JetStreamPut(stage, 16), BeanstalkdPut(stage, 16)],
            [new("Put over REST, 16 connections: messages/s", Figure.PerSecond, Interval, Nchan, Target.Least(0.65)),
             new("… server CPU µs per put", Figure.CpuMicros, Interval, Nchan),
             new("… messages/s compared with JetStream", Figure.PerSecond, Interval, JetStream),
             new("… messages/s compared with beanstalkd", Figure.PerSecond, Interval, Beanstalkd)]);
        yield return new Scenario("take",
            [PushQueueTake(stage, Synced), PushQueueTake(stage, Interval), JetStreamTake(stage), BeanstalkdTake(stage)],
            [new(
                 "Take over REST, 64 connections: messages/s (JetStream: take + ack)",
                 Figure.PerSecond,
                 Synced,
                 JetStream,
                 Target.Least(1.4)),
             new("… server CPU µs per take", Figure.CpuMicros, Synced, JetStream),
             new("… messages/s", Figure.PerSecond, Interval, JetStream, Target.Least(1.4)),
             new("… messages/s compared with beanstalkd (reserve + delete)", Figure.PerSecond, Interval, Beanstalkd)]);
        yield return new Scenario("batch",
            [new(Synced, () => PushQueueRun(stage, Synced, (server, queue) =>
            {
                var options = Options(stage, server, queue, OperationKind.Batch);
                options = options with { Connections = 4, Window = 10_000, Operations = stage.Scale.BatchMessages };
                return ToSample(Stage.Operate(options));
            }), WarmUp: true)],
            [new(
                 "POST batch, NDJSON, 10,000 messages of 100 bytes a request, 4 connections: messages/s",
                 Figure.PerSecond,
                 Synced,
                 null,
                 Target.Least(400_000)),
             new("… server CPU µs per message", Figure.CpuMicros, Synced)]);
    }

    internal static IEnumerable<Scenario> Leases(Stage stage)
    {
        yield return new Scenario("lease-ack",
            [
                new(LeaseAck, () => PushQueueRun(stage, Synced, (server, queue) =>
                {
                    var options = Options(stage, server, queue, OperationKind.LeaseAck);
                    _ = Stage.Operate(options with { Kind = OperationKind.Put });
                    return ToSample(Stage.Operate(options));
                }), WarmUp: true),
                new(Synced, () => PushQueueRun(stage, Synced, (server, queue) =>
                {
                    var options = Options(stage, server, queue, OperationKind.Put);
                    return ToPairs(Stage.Operate(options), Stage.Operate(options with { Kind = OperationKind.Take }));
                }), WarmUp: true),
            ],
            [new(
                 "Lease + ack over REST, 64 connections: pairs/s, compared with put + take",
                 Figure.PerSecond,
                 LeaseAck,
                 Synced,
                 Target.Least(0.7)),
             new("… server CPU µs per pair", Figure.CpuMicros, LeaseAck, Synced)]);
        yield return new Scenario("consume",
            [new(Interval, () => PushQueueRun(stage, Interval, (server, queue) =>
            {
                var options = Options(stage, server, queue, OperationKind.Batch) with {
                    Operations = stage.Scale.ConsumeMessages,
                    Window = 10_000,
                    Connections = 4
                };
                stage.SetPolicy(server, queue, "roundrobin");
                _ = Stage.Operate(options);
                return ToSample(Stage.Operate(options with { Kind = OperationKind.Consume, Window = 500 }));
            }), WarmUp: true)],
            [new("One WebSocket, ack=manual, 500 acks a command: messages/s", Figure.PerSecond, Interval, null, Target.Least(200_000)),
             new("… server CPU µs per message", Figure.CpuMicros, Interval)]);
    }

    private static Contender PushQueuePut(Stage stage, string name, int connections) =>
        new(name, () => PushQueueRun(stage, name, (server, queue) =>
        ToSample(Stage.Operate(Options(stage, server, queue, OperationKind.Put) with { Connections = connections }))), WarmUp: true);

    private static Contender PushQueueTake(Stage stage, string name) => new(name, () => PushQueueRun(stage, name, (server, queue) =>
    {
        var options = Options(stage, server, queue, OperationKind.Put);
        _ = Stage.Operate(options);
        return ToSample(Stage.Operate(options with { Kind = OperationKind.Take }));
    }), WarmUp: true);

    private static Contender NchanPut(Stage stage, int connections) => new(Nchan, () =>
    {
        var channel = stage.NewName();
        return ToSample(
            Stage.Operate(
                Options(stage, stage.Nchan(), channel, OperationKind.Put) with { Path = $"/pub/{channel}", Connections = connections }));
    });

    private static Contender JetStreamPut(Stage stage, int connections) => new(JetStream, () =>
        ToSample(Stage.Operate(NewStream(stage) with { Connections = connections })));

    private static Contender JetStreamTake(Stage stage) => new(JetStream, () =>
    {
        var options = NewStream(stage);
        _ = Stage.Operate(options);
        return ToSample(Stage.Operate(options with { Kind = OperationKind.Take }));
    });

    private static Contender BeanstalkdPut(Stage stage, int connections) => new(Beanstalkd, () =>
        ToSample(Stage.Operate(NewTube(stage) with { Connections = connections })));

    private static Contender BeanstalkdTake(Stage stage) => new(Beanstalkd, () =>
    {
        var options = NewTube(stage);
        _ = Stage.Operate(options);
        return ToSample(Stage.Operate(options with { Kind = OperationKind.Take }));
    });

    private static OperationOptions NewStream(Stage stage)
    {
        var (server, queue) = (stage.JetStream(), stage.NewName());
        JetStreamConnection.CreateStream(server.Port, queue);
        return Options(stage, server, queue, OperationKind.Put) with { Protocol = Protocol.JetStream };
    }

    private static OperationOptions NewTube(Stage stage) =>
        Options(stage, stage.Beanstalkd(flushMs: 50), stage.NewName(), OperationKind.Put) with { Protocol = Protocol.Beanstalk };

    private static Sample PushQueueRun(Stage stage, string name, Func<ServerProcess, string, Sample> run)
    {
        var server = stage.PushQueue(name["PushQueue ".Length..]);
        var queue = stage.NewName();
        var sample = run(server, queue);
        stage.Forget(server, queue);
        return sample;
    }

    private static OperationOptions Options(Stage stage, ServerProcess server, string queue, OperationKind kind) => new()
    {
        Kind = kind,
        Port = server.Port,
        Queue = queue,
        Connections = 64,
        Operations = stage.Scale.Operations,
        Pids = server.Pids,
    };

    internal static Sample ToSample(OperationResult result) => new()
    {
        [Figure.PerSecond] = result.OperationsPerSecond,
        [Figure.CpuMicros] = result.ServerCpuMicrosPerOperation,
        [Figure.P99Ms] = result.LatencyMs.P99,
        Problem = result.Sound ? null : $"{result.Failed} failed, {result.Missing} missing, {result.Duplicates} duplicates",
    };

    /// <summary>A put and a take make a pair: their times add up.</summary>
    private static Sample ToPairs(OperationResult put, OperationResult take) => new()
    {
        [Figure.PerSecond] = 1 / ((1 / put.OperationsPerSecond) + (1 / take.OperationsPerSecond)),
        [Figure.CpuMicros] = put.ServerCpuMicrosPerOperation + take.ServerCpuMicrosPerOperation,
        Problem = ToSample(put).Problem ?? ToSample(take).Problem,
    };
}
