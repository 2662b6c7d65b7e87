namespace PushQueue.Client;

/// <summary>Settles the leases of messages.</summary>
internal interface ILeaseOwner
{
    Task<bool> AckAsync(Message message, CancellationToken cancellationToken);

    Task<bool> ReleaseAsync(Message message, ReleaseReason reason, CancellationToken cancellationToken);

    Task<bool> TouchAsync(Message message, TimeSpan? timeToRun, CancellationToken cancellationToken);
}

/// <summary>How a message is given back.</summary>
/// <param name="Delay">Ready again after this; null for the server's choice.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Unstarted">The work was not begun, so that it has not failed.</param>
/// <param name="Backoff">The wait where neither the message nor the queue has one; null for none.</param>
/// <param name="DeadLetter">Another attempt is pointless.</param>
internal readonly record struct ReleaseReason(
    TimeSpan? Delay, string? Error, bool Unstarted, string? Backoff = null, bool DeadLetter = false);
