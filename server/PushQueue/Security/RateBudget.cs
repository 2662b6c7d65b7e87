namespace PushQueue.Security;

/// <summary>
/// Counts something against a rate. One second's worth may come at once; what goes beyond is let through where anything was left, and paid
/// off before the next: so a large request is possible at all, and the rate holds on average. Safe for use by many threads.
/// </summary>
internal sealed class RateBudget(TimeProvider time)
{
    private readonly Lock _gate = new();
    private double _left = double.PositiveInfinity;
    private long _at = time.GetTimestamp();

    /// <summary>False where nothing is left; then nothing was counted, and <paramref name="wait"/> says when there will be.</summary>
    public bool TrySpend(double perSecond, double amount, out TimeSpan wait)
    {
        lock (_gate)
        {
            RefillLocked(perSecond);
            wait = _left > 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min((1e-3 - _left) / perSecond, TimeSpan.SecondsPerDay));
            _left -= _left > 0 ? amount : 0;
            return wait == TimeSpan.Zero;
        }
    }

    /// <summary>Counts what turned out to be more than was known beforehand.</summary>
    public void Spend(double perSecond, double amount)
    {
        lock (_gate)
        {
            RefillLocked(perSecond);
            _left -= amount;
        }
    }

    private void RefillLocked(double perSecond)
    {
        var now = time.GetTimestamp();
        var earned = time.GetElapsedTime(_at, now).TotalSeconds * perSecond;
        _at = now;

        // A whole unit at least: a rate of one in ten seconds must let one pass.
        _left = Math.Min(Math.Max(perSecond, 1), _left + earned);
    }
}
