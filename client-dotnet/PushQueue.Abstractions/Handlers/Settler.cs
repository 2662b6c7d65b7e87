using Microsoft.Extensions.Logging;

namespace PushQueue.Client.Handlers;

/// <summary>Acks what was done and gives back what failed. A message that cannot be settled comes again, when its lease ends.</summary>
internal sealed class Settler(string queue, HandlerOptions options, ILogger logger) : IAckObserver
{
    // A message that fails at once should not use up its attempts within milliseconds. Work that is cut short by the end of the program has
    // not failed by itself.
    private const string Backoff = "exponential:1s..1m";
    private const string DeadLetterSuffix = ".dead";

    // There a rejected message stays, and would come again at once.
    private readonly bool _mayReject = !queue.EndsWith(DeadLetterSuffix, StringComparison.Ordinal);

    private readonly Outstanding _outstanding = new();

    /// <summary>Completes when every ack and release is answered. Called once, after the last of them has begun.</summary>
    public Task WhenSettled() => _outstanding.WhenNone();

    /// <summary>Acks without waiting: prefetch bounds how many are under way.</summary>
    public void Ack(Message message)
    {
        // hot path: guarded by the bench rows handler
        if (IsOver(message))
        {
            return;
        }

        _outstanding.Begin();
        message.Ack(this);
    }

    public void OnAcked(Message message, bool done)
    {
        if (!done)
        {
            HandlerLog.Lost(logger, queue, message.Id);
        }

        _outstanding.End();
    }

    public void OnNotAcked(Message message, Exception error)
    {
        HandlerLog.NotSettled(logger, error, queue, message.Id);
        _outstanding.End();
    }

    /// <summary>The handler threw.</summary>
    public Task FailAsync(Message message, Exception error, bool interrupted)
    {
        switch (error)
        {
            case DeadLetterException:
                return RejectAsync(message, error.Message);
            case PushQueueException bad when ReferenceEquals(bad, message.BadBody) && options.BadBody == BadBodyAction.DeadLetter:
                return RejectAsync(message, bad.Detail);
            case RetryAfterException retry:
                HandlerLog.Failed(logger, error, queue, message.Id, message.Attempt);
                return SettleAsync(message, message.ReleaseAsync(retry.Delay, retry.Message, CancellationToken.None));
            default:
                HandlerLog.Failed(logger, error, queue, message.Id, message.Attempt);
                return GiveBackAsync(message, error.Message, interrupted);
        }
    }

    /// <summary>A failed attempt.</summary>
    /// <param name="message">The message.</param>
    /// <param name="reason">Why.</param>
    /// <param name="interrupted">The work itself has not failed: the next attempt need not wait.</param>
    public Task GiveBackAsync(Message message, string reason, bool interrupted) =>
        IsOver(message)
            ? Task.CompletedTask
            : SettleAsync(message, message.ReleaseFailedAsync(options.RetryDelay, interrupted ? null : Backoff, reason));

    private Task RejectAsync(Message message, string reason)
    {
        if (IsOver(message))
        {
            return Task.CompletedTask;
        }

        HandlerLog.DeadLettered(logger, queue, message.Id, reason);
        return SettleAsync(
            message,
            _mayReject
                ? message.DeadLetterAsync(reason, CancellationToken.None)
                : message.ReleaseFailedAsync(options.RetryDelay, Backoff, reason));
    }

    private bool IsOver(Message message)
    {
        if (!message.Settled && message.IsLost)
        {
            HandlerLog.Lost(logger, queue, message.Id);
            return true;
        }

        return message.Settled;
    }

    private async Task SettleAsync(Message message, Task<bool> settling)
    {
        _outstanding.Begin();
        try
        {
            if (!await settling.ConfigureAwait(false))
            {
                HandlerLog.Lost(logger, queue, message.Id);
            }
        }
        catch (Exception e) when (e is PushQueueException or OperationCanceledException or ObjectDisposedException)
        {
            // The message comes again: to this program or to another.
            HandlerLog.NotSettled(logger, e, queue, message.Id);
        }
        finally
        {
            _outstanding.End();
        }
    }
}
