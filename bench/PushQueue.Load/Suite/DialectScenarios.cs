using PushQueue.Load.Operations;

namespace PushQueue.Load.Suite;

/// <summary>
/// The cost of a dialect: RestMQ's put of a form and its take as JSON, compared with the native operations of the same server and body.
/// </summary>
internal static class DialectScenarios
{
    private const string Durability = "interval:50ms";
    private const string NativePut = "native put";
    private const string NativeTake = "native take";
    private const string RestMqPut = "RestMQ put";
    private const string RestMqTake = "RestMQ take";

    internal static Scenario Dialects(Stage stage) => new("dialects",
        [
            new(NativePut, () => Run(stage, put => QueueScenarios.ToSample(Stage.Operate(put))), WarmUp: true),
            new(RestMqPut, () => Run(stage, put => QueueScenarios.ToSample(Stage.Operate(AsForm(put)))), WarmUp: true),
            new(NativeTake, () => Run(stage, put => Take(put, put)), WarmUp: true),
            new(RestMqTake, () => Run(stage, put => Take(put, AsForm(put))), WarmUp: true),
        ],
        [
            new(
                "RestMQ, POST /q/QUEUE with value=…, 64 connections: messages/s",
                Figure.PerSecond,
                RestMqPut,
                NativePut,
                Target.Least(0.85)),
            new("… server CPU µs per put", Figure.CpuMicros, RestMqPut, NativePut),
            new("RestMQ, GET /q/QUEUE, 64 connections: messages/s", Figure.PerSecond, RestMqTake, NativeTake, Target.Least(0.85)),
            new("… server CPU µs per take", Figure.CpuMicros, RestMqTake, NativeTake),
        ]);

    private static Sample Take(OperationOptions put, OperationOptions like)
    {
        _ = Stage.Operate(put);
        return QueueScenarios.ToSample(Stage.Operate(like with { Kind = OperationKind.Take }));
    }

    private static OperationOptions AsForm(OperationOptions put) => put with
    {
        Path = "/restmq" + put.HttpPath,
        ContentType = "application/x-www-form-urlencoded",
        BodyStart = "value=",
    };

    private static Sample Run(Stage stage, Func<OperationOptions, Sample> run)
    {
        var server = stage.PushQueue(Durability);
        var queue = stage.NewName();
        var sample = run(new OperationOptions
        {
            Kind = OperationKind.Put,
            Port = server.Port,
            Queue = queue,
            Connections = 64,
            Operations = stage.Scale.Operations,
            Pids = server.Pids,
        });
        stage.Forget(server, queue);
        return sample;
    }
}
