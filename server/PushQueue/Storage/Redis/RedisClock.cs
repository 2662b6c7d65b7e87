namespace PushQueue.Storage.Redis;

/// <summary>
/// The clock of the queues on this node: Redis's own, continued by the node's monotonic clock between two heartbeats. So a node whose wall
/// clock is wrong, or is set, ends no lease and makes nothing due too early or too late. Thread-safe.
/// </summary>
/// <param name="time">The node's clock: its wall clock counts until Redis has told the time, and always where Redis does not lead.</param>
/// <param name="follows">False where the program controls the time itself, by a <see cref="TimeProvider"/> of its own.</param>
internal sealed class RedisClock(TimeProvider time, bool follows)
{
    private volatile Anchor? _anchor;

    /// <summary>Unix milliseconds.</summary>
    public long NowMs() =>
        follows && _anchor is { } anchor ? At(anchor, time.GetTimestamp()) / 1000 : time.GetUtcNow().ToUnixTimeMilliseconds();

    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(NowMs());

    /// <summary>For the second argument of <see cref="Observe"/>.</summary>
    public long Timestamp() => time.GetTimestamp();

    /// <summary>
    /// Takes the time of Redis from an answer. Redis read it at some moment between the question and now. If the clock agrees with one of
    /// these moments, it stays as it is, so that the duration of answers does not move it. Else it moves by the least amount that makes it
    /// agree. Called by one thread at a time.
    /// </summary>
    /// <param name="microseconds">Unix microseconds by Redis.</param>
    /// <param name="askedAt">The <see cref="Timestamp"/> before the question.</param>
    public void Observe(long microseconds, long askedAt)
    {
        var answeredAt = time.GetTimestamp();
        if (_anchor is not { } anchor)
        {
            var half = (long)time.GetElapsedTime(askedAt, answeredAt).TotalMicroseconds / 2;
            _anchor = new Anchor(answeredAt, microseconds + half);
            return;
        }

        var earliest = At(anchor, askedAt);
        var latest = At(anchor, answeredAt);
        var late = Math.Max(0, microseconds - latest);
        var early = Math.Max(0, earliest - microseconds);
        _anchor = new Anchor(answeredAt, latest + late - early);
    }

    private long At(Anchor anchor, long timestamp) =>
        anchor.Microseconds + (long)time.GetElapsedTime(anchor.Timestamp, timestamp).TotalMicroseconds;

    private sealed record Anchor(long Timestamp, long Microseconds);
}
