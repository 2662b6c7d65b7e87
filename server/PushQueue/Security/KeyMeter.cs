namespace PushQueue.Security;

/// <summary>Counts the use of one key. Outlives changes of the access file, so that an edit gives nobody a fresh budget.</summary>
internal sealed class KeyMeter(TimeProvider time)
{
    private readonly RateBudget _messages = new(time);
    private readonly RateBudget _bytes = new(time);
    private int _connections;

    public bool TrySpend(KeyLimits limits, int messages, long bytes, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        return (limits.MessagesPerSecond is not { } most || _messages.TrySpend(most, messages, out wait))
            && (limits.BytesPerSecond is not { } mostBytes || _bytes.TrySpend(mostBytes, bytes, out wait));
    }

    public void Spend(KeyLimits limits, int messages, long bytes)
    {
        if (limits.MessagesPerSecond is { } most)
        {
            _messages.Spend(most, messages);
        }

        if (limits.BytesPerSecond is { } mostBytes)
        {
            _bytes.Spend(mostBytes, bytes);
        }
    }

    /// <summary>True where another connection may begin; it must be given back by <see cref="Disconnect"/>.</summary>
    public bool TryConnect(KeyLimits limits)
    {
        if (Interlocked.Increment(ref _connections) <= (limits.Connections ?? int.MaxValue))
        {
            return true;
        }

        Disconnect();
        return false;
    }

    /// <summary>Whether another connection could begin now.</summary>
    public bool HasRoom(KeyLimits limits) => Volatile.Read(ref _connections) < (limits.Connections ?? int.MaxValue);

    public void Disconnect() => Interlocked.Decrement(ref _connections);
}
