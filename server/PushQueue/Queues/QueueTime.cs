namespace PushQueue.Queues;

/// <summary>
/// The time of messages: the wall clock is the store's (<see cref="IStoreLifecycle.Now"/>), which nodes may share; timers and durations are
/// those of the node. An option that is relative to now (<c>delay</c>) becomes a time by this clock, so that a node whose wall clock is
/// wrong makes nothing due too early or too late.
/// </summary>
internal sealed class QueueTime(IStoreLifecycle store, TimeProvider time) : TimeProvider
{
    public override long TimestampFrequency => time.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => time.LocalTimeZone;

    public override DateTimeOffset GetUtcNow() => store.Now;

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(callback, state, dueTime, period);
}
