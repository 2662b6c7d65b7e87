namespace PushQueue.Queues;

/// <summary>
/// Messages of one take or lease whose answer is not written yet. A small answer fits into what a socket takes at once, so its messages are
/// taken for good first. A larger one can break in the middle: its messages stay leased until the transport reports what became of the
/// answer. One that was not written gives them back to their old places, and no attempt counts.
/// </summary>
internal class PendingTake
{
    /// <summary>Bodies up to this many bytes are taken for good before their answer is written.</summary>
    public const int BytesAtOnceMax = 64 * 1024;

    private Held? _held;

    /// <summary>Whether the transport must call <see cref="SettleAsync"/>.</summary>
    public bool IsHeld => Volatile.Read(ref _held) is not null;

    /// <param name="settler">Ends the leases.</param>
    /// <param name="keys">The leases of the answer's messages.</param>
    /// <param name="onTaken">Called when the answer was written, which ends a take; null for a lease, which its worker ends.</param>
    public void Hold(LeaseSettler settler, LeaseKey[] keys, Action? onTaken)
    {
        _held = new Held(settler, keys, onTaken);
        OnHeld();
    }

    /// <summary>The answer was written, or never will be. Only the first report counts.</summary>
    /// <returns>Completes when the store knows.</returns>
    public Task SettleAsync(bool written)
    {
        if (Interlocked.Exchange(ref _held, null) is not { } held)
        {
            return Task.CompletedTask;
        }

        if (!written)
        {
            held.Settler.GiveBack(held.Keys, BrokenConnection.NotBegun);
        }
        else if (held.OnTaken is { } onTaken)
        {
            held.Settler.Ack(held.Keys);
            onTaken();
        }

        return held.Settler.WhenSettled();
    }

    /// <summary>Messages are held: the transport arranges that the end of its answer is reported.</summary>
    protected virtual void OnHeld()
    {
    }

    private sealed record Held(LeaseSettler Settler, LeaseKey[] Keys, Action? OnTaken);
}
