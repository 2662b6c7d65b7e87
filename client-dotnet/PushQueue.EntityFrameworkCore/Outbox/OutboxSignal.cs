namespace PushQueue.EntityFrameworkCore;

/// <summary>Wakes the forwarder of a context's database. Signals coalesce.</summary>
/// <typeparam name="TContext">The context.</typeparam>
internal sealed class OutboxSignal<TContext>
{
    private TaskCompletionSource _next = NewSource();

    /// <summary>Completes at the next signal. Taken before the database is read, so that no signal is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Set() => Interlocked.Exchange(ref _next, NewSource()).SetResult();

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
