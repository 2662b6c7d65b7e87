namespace PushQueue.Load.Suite;

/// <summary>How much each scenario does: enough for a second or more of work, so that CPU ticks of 10 ms do not show.</summary>
internal sealed record SuiteScale(
    int Subscribers, int FullSpeedMessages, int PacedMessages, int PacedRate, int IdleSubscribers, int Operations,
    int BatchMessages, int ConsumeMessages, int SmallBacklog, int LargeBacklog, int IdleQueues, int IdleSeconds)
{
    internal static SuiteScale Full { get; } = new(
        1000,
        3000,
        1000,
        200,
        10_000,
        200_000,
        2_000_000,
        1_000_000,
        1_000_000,
        100_000,
        10_000,
        20);

    internal static SuiteScale Quick { get; } = new(1000, 800, 300, 200, 2000, 40_000, 300_000, 200_000, 100_000, 10_000, 1000, 5);
}
