using PushQueue.Diagnostics;

namespace PushQueue.Transports.Json;

/// <summary>Sums over the queues of the overview.</summary>
internal sealed record SumsContract
{
    public required int Queues { get; init; }

    public required long Ready { get; init; }

    public required long Delayed { get; init; }

    public required long Leased { get; init; }

    public required long Dead { get; init; }

    public required long Consumers { get; init; }

    public required double PutPerSecond { get; init; }

    public required double DeliveredPerSecond { get; init; }

    public static SumsContract Of(BoardSums sums) => new()
    {
        Queues = sums.Queues,
        Ready = sums.Ready,
        Delayed = sums.Delayed,
        Leased = sums.Leased,
        Dead = sums.Dead,
        Consumers = sums.Consumers,
        PutPerSecond = Math.Round(sums.PutPerSecond, 1),
        DeliveredPerSecond = Math.Round(sums.DeliveredPerSecond, 1),
    };
}
