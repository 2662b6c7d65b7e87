using PushQueue.Load.Operations;

namespace PushQueue.Load.Suite;

/// <summary>
/// The cost of keys and their limits for a put. The disk is flushed a little later, so that the figures show the processor and not the
/// disk.
/// </summary>
internal static class AccessScenarios
{
    private const string Durability = "interval:50ms";
    private const string Open = "without keys";
    private const string Key = "with a key";
    private const string Limited = "with a key that has limits";

    internal static IEnumerable<Scenario> All(Stage stage)
    {
        yield return new Scenario("access",
            [
                new(Open, () => Put(stage, stage.PushQueue(Durability), key: null), WarmUp: true),
                new(Key, () => Put(stage, stage.PushQueueWithKeys(Durability), stage.Key), WarmUp: true),
                new(Limited, () => Put(stage, stage.PushQueueWithKeys(Durability), stage.LimitedKey), WarmUp: true),
            ],
            [
                new(
                    "Put over REST, 16 connections, with a key: server CPU µs per put, compared with a server without keys",
                    Figure.CpuMicros,
                    Key,
                    Open,
                    Target.Most(1.05)),
                new("… with a key that has limits", Figure.CpuMicros, Limited, Open, Target.Most(1.05)),
                new("… messages/s with a key", Figure.PerSecond, Key, Open),
            ]);
    }

    private static Sample Put(Stage stage, ServerProcess server, string? key)
    {
        var queue = stage.NewName();
        var sample = QueueScenarios.ToSample(Stage.Operate(new OperationOptions
        {
            Kind = OperationKind.Put,
            Port = server.Port,
            Queue = queue,
            Operations = stage.Scale.Operations,
            Pids = server.Pids,
            Headers = key is null ? "" : $"Authorization: Bearer {key}\r\n",
        }));
        stage.Forget(server, queue, key);
        return sample;
    }
}
