namespace PushQueue.Delivery;

/// <summary>A queue that expires without use is in use as long as a consumer is connected.</summary>
internal sealed partial class QueueDispatcher
{
    private static readonly TimeSpan LongestKeep = TimeSpan.FromMinutes(5);

    private long? _keptAt;

    /// <summary>Notifies the store that consumers are connected, unless it knows for long enough or the queue does not expire.</summary>
    /// <param name="isJoining">Whether a consumer has just joined: the store may be about to delete the queue.</param>
    public ValueTask KeepAsync(bool isJoining)
    {
        if (_settings?.Expires is not { Ticks: > 0 } expires || Connected == 0)
        {
            return ValueTask.CompletedTask;
        }

        // The store counts from the end of the period, so a node that dies or is late never lets its queues go too early.
        var period = expires / 4 < LongestKeep ? expires / 4 : LongestKeep;
        if (!isJoining && _keptAt is { } keptAt && _time.GetElapsedTime(keptAt) < period)
        {
            return ValueTask.CompletedTask;
        }

        _keptAt = _time.GetTimestamp();
        return _store.KeepAsync(Queue, period);
    }
}
