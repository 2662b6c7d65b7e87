using Microsoft.Extensions.Logging;

namespace PushQueue.Client.Streaming;

/// <summary>
/// Gives back what a stream still holds when it ends or has lost its place: what the program had started as a failed attempt, the rest as
/// if it had not been delivered. Nothing of it is worth more than a few seconds; what cannot be given back goes when its lease ends.
/// </summary>
internal sealed class StreamGoodbye(PushQueueClient client, string queue, HeldMessages held, ILogger logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private Task _handingBack = Task.CompletedTask;

    /// <summary>An ack that is under way must not find its lease given back.</summary>
    public async Task BeforeAsync(Task acks)
    {
        try
        {
            await acks.WaitAsync(Patience, client.Options.TimeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            Log.GoodbyeFailed(logger, e, queue);
        }
    }

    /// <summary>The connection is gone.</summary>
    /// <param name="token">Of the place that the server still keeps; null for none.</param>
    /// <param name="root">That server's address.</param>
    public async Task AfterAsync(string? token, string root)
    {
        await _handingBack.ConfigureAwait(false);
        if (token is not null)
        {
            await TryAsync(timeout => LeaveAsync(token, root, timeout)).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The stream stands again, but in a new place: at another node, say, while the old one keeps what this program has not begun. That
    /// goes back now, and not as a failed attempt when the old place is given up.
    /// </summary>
    public void HandBackUnstarted()
    {
        var unstarted = held.TakeUnstarted();
        if (unstarted.Length > 0)
        {
            _handingBack = Task.WhenAll(_handingBack, TryAsync(timeout => ReleaseAsync(unstarted, "unstarted", "true", timeout)));
        }
    }

    private async Task LeaveAsync(string token, string root, CancellationToken timeout)
    {
        var started = held.Started();
        if (!await client.TryLeaveAsync(root, queue, token, started, timeout).ConfigureAwait(false))
        {
            // The place is at another node, or was given up; leases can be settled anywhere.
            await ReleaseAsync(held.TakeUnstarted(), "unstarted", "true", timeout).ConfigureAwait(false);
            await ReleaseAsync(started, "error", "the consumer left", timeout).ConfigureAwait(false);
        }
    }

    private async Task ReleaseAsync(LeaseKey[] keys, string option, string value, CancellationToken timeout)
    {
        if (keys.Length > 0)
        {
            var path = PushQueueClient.SettleManyPath(queue, "release").Add(option, value);
            _ = await client.SettleManyAsync(path, keys, retry: null, timeout).ConfigureAwait(false);
        }
    }

    private async Task TryAsync(Func<CancellationToken, Task> say)
    {
        using var timeout = new CancellationTokenSource(Patience, client.Options.TimeProvider);
        try
        {
            await say(timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is PushQueueException or OperationCanceledException or ObjectDisposedException)
        {
            Log.GoodbyeFailed(logger, e, queue);
        }
    }
}
