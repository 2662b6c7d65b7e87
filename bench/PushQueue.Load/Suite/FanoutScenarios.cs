using PushQueue.Load.Fanout;

namespace PushQueue.Load.Suite;

/// <summary>Broadcast to many, side by side with nchan, which keeps nothing on disk; PushQueue runs with its default durability.</summary>
internal static class FanoutScenarios
{
    private const string PushQueue = "PushQueue";
    private const string Nchan = "nchan";
    private const string Stuck = "PushQueue, 1 stuck";
    private const string Durability = "synced";

    internal static IEnumerable<Scenario> All(Stage stage)
    {
        var (subscribers, messages) = (stage.Scale.Subscribers, stage.Scale.FullSpeedMessages);
        var audience = $"{subscribers:N0} subscribers, 100-byte messages";
        yield return FullSpeed(stage, "websocket", SubscriberKind.WebSocket, SubscriberKind.WebSocket, [
            new($"WebSocket, {audience}, full speed: deliveries/s", Figure.PerSecond, PushQueue, Nchan, Target.Least(1.8)),
            new("… server CPU µs per delivery", Figure.CpuMicros, PushQueue, Nchan, Target.Most(1.0)),
            new("… p99 ms", Figure.P99Ms, PushQueue, Nchan)]);
        yield return FullSpeed(stage, "sse", SubscriberKind.ServerSentEvents, SubscriberKind.ServerSentEvents, [
            new($"SSE, {audience}, full speed: deliveries/s", Figure.PerSecond, PushQueue, Nchan, Target.Least(1.8)),
            new("… server CPU µs per delivery", Figure.CpuMicros, PushQueue, Nchan)]);
        yield return FullSpeed(stage, "signalr", SubscriberKind.SignalR, SubscriberKind.WebSocket, [
            new($"SignalR, {audience}, full speed: deliveries/s (nchan: WebSocket)", Figure.PerSecond, PushQueue, Nchan, Target.Least(1.3)),
            new("… server CPU µs per delivery", Figure.CpuMicros, PushQueue, Nchan)]);
        yield return FullSpeed(stage, "http", SubscriberKind.HttpStream, SubscriberKind.HttpStream, [
            new($"HTTP stream, {audience}, full speed: deliveries/s", Figure.PerSecond, PushQueue, Nchan),
            new("… server CPU µs per delivery", Figure.CpuMicros, PushQueue, Nchan)]);

        var paced = new FanoutShape(SubscriberKind.WebSocket, subscribers, stage.Scale.PacedMessages, stage.Scale.PacedRate);
        yield return new Scenario("paced", Both(stage, paced, paced), [
            new(
                $"WebSocket, {audience}, {paced.Rate} messages/s: server CPU µs per delivery",
                Figure.CpuMicros,
                PushQueue,
                Nchan,
                Target.Most(1.3)),
            new("… p99 ms", Figure.P99Ms, PushQueue, Nchan, Target.Most(1.0))]);

        yield return new Scenario("slow",
            [
                new(PushQueue, () => ToSample(stage.FanOutPushQueue(stage.PushQueue(Durability), paced)), WarmUp: true),
                new(Stuck, () => ToSample(stage.FanOutPushQueue(stage.PushQueue(Durability), paced with { Slow = 1 }))),
            ], [
            new(
                $"WebSocket, {audience}, {paced.Rate} messages/s, one subscriber stuck: p99 ms of the others, compared with none stuck",
                Figure.P99Ms,
                Stuck,
                PushQueue,
                Target.Most(1.1)),
            new("… memory the server grew by while publishing, MB", Figure.GrowthMegabytes, Stuck, PushQueue)]);
    }

    /// <summary>Each run on fresh servers: what an earlier run's connections left allocated would make the next ones look free.</summary>
    internal static Scenario IdleMemory(Stage stage)
    {
        var idle = new FanoutShape(SubscriberKind.WebSocket, stage.Scale.IdleSubscribers, Messages: 0, SettleSeconds: 3);
        return new Scenario("idle-memory",
            [
                new(PushQueue, () =>
                {
                    using var server = stage.Systems.StartPushQueue(Durability);
                    _ = stage.FanOutPushQueue(server, idle with { Subscribers = 100, SettleSeconds = 0.5 });
                    return ToSample(stage.FanOutPushQueue(server, idle));
                }),
                new(Nchan, () =>
                {
                    using var server = stage.Systems.StartNchan();
                    return ToSample(stage.FanOutNchan(server, idle));
                }),
            ],
            [new($"{idle.Subscribers:N0} idle WebSocket subscribers: KB of memory each", Figure.KbPerSubscriber, PushQueue, Nchan),
             new("… at most", Figure.KbPerSubscriber, PushQueue, null, Target.Most(25))], RunsMax: 3);
    }

    private static Scenario FullSpeed(Stage stage, string name, SubscriberKind kind, SubscriberKind peerKind, IReadOnlyList<Row> rows)
    {
        var shape = new FanoutShape(kind, stage.Scale.Subscribers, stage.Scale.FullSpeedMessages);
        return new Scenario(name, Both(stage, shape, shape with { Kind = peerKind }), rows);
    }

    private static Contender[] Both(Stage stage, FanoutShape shape, FanoutShape peerShape) =>
    [
        new(PushQueue, () => ToSample(stage.FanOutPushQueue(stage.PushQueue(Durability), shape)), WarmUp: true),
        new(Nchan, () => ToSample(stage.FanOutNchan(stage.Nchan(), peerShape))),
    ];

    internal static Sample ToSample(FanoutResult result) => new()
    {
        [Figure.PerSecond] = result.DeliveriesPerSecond,
        [Figure.CpuMicros] = result.ServerCpuMicrosPerDelivery,
        [Figure.P99Ms] = result.LatencyMs.P99,
        [Figure.KbPerSubscriber] = result.ServerMemory.KbPerSubscriber,
        [Figure.GrowthMegabytes] = result.ServerMemory.AfterMb - result.ServerMemory.ConnectedMb,
        Problem = result.Sound
            ? null
            : $"{result.Lost} lost, {result.Duplicates} duplicates, {result.PublishErrors} publishes refused, "
                + $"{result.Closed} connections closed",
    };
}
