namespace PushQueue.Delivery;

/// <summary>
/// Seconds since the start, moved on by <see cref="ConnectionWatch"/>. Every write notes when it happened; reading a field instead of a
/// clock keeps that free, and timeouts of many seconds need nothing finer.
/// </summary>
internal sealed class CoarseClock
{
    private int _seconds;

    public int Seconds
    {
        get => Volatile.Read(ref _seconds);
        set => Volatile.Write(ref _seconds, value);
    }
}
