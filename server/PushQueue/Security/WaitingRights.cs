using System.Collections.Concurrent;
using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>
/// The requests that wait for a message. A right is checked when a request comes, and a wait lasts up to a minute: without this list a key
/// that was revoked meanwhile would still be given a message.
/// </summary>
internal sealed class WaitingRights(AccessControl access)
{
    private readonly ConcurrentDictionary<WaitingRight, byte> _waiting = new();

    /// <summary>To be disposed of when the wait is over; null where everybody may do everything.</summary>
    public WaitingRight? Begin(Caller caller, Permissions anyOf, QueueName queue, CancellationToken aborted)
    {
        if (!access.Enabled || ReferenceEquals(caller, Caller.Host))
        {
            return null;
        }

        var right = new WaitingRight(this, access, caller, anyOf, queue, aborted);
        _waiting[right] = 0;
        return right;
    }

    public void Remove(WaitingRight right) => _waiting.TryRemove(right, out _);

    /// <summary>
    /// Ends the waits of those who may no longer wait. Called once a second: keys also expire while nothing else happens.
    /// </summary>
    public void EndLost()
    {
        foreach (var (right, _) in _waiting)
        {
            right.EndIfLost();
        }
    }
}
