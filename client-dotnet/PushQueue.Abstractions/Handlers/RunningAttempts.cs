using Microsoft.Extensions.Logging;

namespace PushQueue.Client.Handlers;

/// <summary>The attempts of a handler at this moment: one place for each of its loops.</summary>
internal sealed class RunningAttempts(int concurrency, Settler settler, ILogger logger)
{
    private readonly Attempt?[] _slots = new Attempt?[concurrency];

    /// <summary>The program cannot wait any longer.</summary>
    public bool IsInterrupted { get; private set; }

    public void Begin(int slot, Attempt attempt) => Volatile.Write(ref _slots[slot], attempt);

    public void End(int slot) => Volatile.Write(ref _slots[slot], null);

    /// <summary>Asks all handlers to stop.</summary>
    public void Interrupt()
    {
        IsInterrupted = true;
        foreach (var attempt in Current())
        {
            attempt.Message.Interrupt();
        }
    }

    /// <summary>An attempt has taken too long: its handler is asked to stop, and not waited for.</summary>
    public void Expire(Attempt attempt, TimeSpan timeout)
    {
        if (attempt.TryDecide())
        {
            HandlerLog.TimedOut(logger, attempt.Message.Queue, attempt.Message.Id, timeout);
            attempt.Message.Interrupt();
            _ = settler.GiveBackAsync(attempt.Message, $"The handler did not end within {timeout}.", interrupted: false);
        }
    }

    /// <summary>Gives back what does not stop.</summary>
    public Task AbandonAsync() => Task.WhenAll(Current().Where(static attempt => attempt.TryDecide()).Select(attempt =>
    {
        HandlerLog.Abandoned(logger, attempt.Message.Queue, attempt.Message.Id);
        return settler.GiveBackAsync(attempt.Message, "The program stopped before the handler had ended.", interrupted: true);
    }));

    /// <summary>Extends the leases of what goes on.</summary>
    public Task TouchAsync(TimeSpan timeToRun, CancellationToken cancellationToken) => Task.WhenAll(
        Current().Where(static attempt => !attempt.IsDecided && !attempt.Message.IsLost && !attempt.Message.Settled)
            .Select(attempt => TouchAsync(attempt.Message, timeToRun, cancellationToken)));

    private async Task TouchAsync(Message message, TimeSpan timeToRun, CancellationToken cancellationToken)
    {
        try
        {
            _ = await message.TouchAsync(timeToRun, cancellationToken).ConfigureAwait(false);
        }
        catch (PushQueueException e)
        {
            // Two more tries fit into the lease.
            HandlerLog.NotSettled(logger, e, message.Queue, message.Id);
        }
    }

    private List<Attempt> Current()
    {
        var current = new List<Attempt>();
        for (var i = 0; i < _slots.Length; i++)
        {
            if (Volatile.Read(ref _slots[i]) is { } attempt)
            {
                current.Add(attempt);
            }
        }

        return current;
    }
}
