namespace PushQueue.Client.Handlers;

/// <summary>Counts what is under way, for a drain that waits until nothing is.</summary>
internal sealed class Outstanding
{
    // One for the owner, who gives it back when the drain begins; so the count reaches zero once.
    private readonly TaskCompletionSource _none = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count = 1;

    public void Begin() => Interlocked.Increment(ref _count);

    public void End()
    {
        if (Interlocked.Decrement(ref _count) == 0)
        {
            _ = _none.TrySetResult();
        }
    }

    /// <summary>Completes when nothing is under way. Called once; nothing begins afterwards.</summary>
    public Task WhenNone()
    {
        End();
        return _none.Task;
    }
}
