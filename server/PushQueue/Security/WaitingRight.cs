using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>A request that waits, and the right by which it may. Its token ends with the client, or with the right.</summary>
internal sealed class WaitingRight(
    WaitingRights all, AccessControl access, Caller caller, Permissions anyOf, QueueName queue, CancellationToken aborted) : IDisposable
{
    private readonly CancellationTokenSource _ended = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    private volatile bool _isLost;

    public CancellationToken Token => _ended.Token;

    /// <summary>Whether the wait ended because the right did, and not because the client went away.</summary>
    public bool IsLost => _isLost && !aborted.IsCancellationRequested;

    public Permissions AnyOf => anyOf;

    public QueueName Queue => queue;

    /// <summary>The caller that waits, under the rules as they are now; null where the key is gone or has expired.</summary>
    public Caller? Caller => access.Again(caller);

    public void EndIfLost()
    {
        if (Caller?.May(anyOf, queue) is true)
        {
            return;
        }

        _isLost = true;
        try
        {
            _ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The wait was over at that very moment.
        }
    }

    public void Dispose()
    {
        all.Remove(this);
        _ended.Dispose();
    }
}
