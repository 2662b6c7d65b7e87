using PushQueue.Client;
using PushQueue.Delivery.Encoding;

namespace PushQueue.InProcess;

/// <summary>The messages of a queue of this process.</summary>
internal sealed class InProcessStream(
    InProcessConsumers consumers, TimeProvider time, string queue, ConsumeOptions options, CancellationToken cancellationToken)
    : MessageStream(queue, options)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly CancellationToken _cancellationToken = cancellationToken;

    public override async IAsyncEnumerator<Message> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
        var name = Refusals.Queue(Queue);
        var start = Options.From;
        EndReason = null;
        var hasJoined = false;
        while (true)
        {
            var subscription = await JoinAsync(name, start, hasJoined, either.Token);
            hasJoined = true;
            try
            {
                start = subscription.Cursor;
                OnConnected();
                var batch = new List<object>();
                while (await subscription.Inbox.TakeAllAsync(batch, either.Token) is { } taken)
                {
                    foreach (var item in taken)
                    {
                        if (item is Cursor passed)
                        {
                            start = passed.ToString();
                        }
                        else if (item is not Message message)
                        {
                            OnGap((Client.Gap)item);
                        }
                        else if (message.Receipt is null || message.TryStart())
                        {
                            // A message that was cancelled or lost while it waited here is skipped.
                            start = message.Cursor ?? start;
                            yield return message;
                        }
                    }

                    taken.Clear();
                    batch = taken;
                }
            }
            finally
            {
                await subscription.DisposeAsync();
            }

            if (IsOver(subscription.End))
            {
                yield break;
            }

            // Most often it read too slowly under broadcast. It resumes where it was.
            var wait = TimeSpan.FromMilliseconds(subscription.End?.NextReconnectMs() ?? 0);
            OnReconnecting(new Reconnecting(Queue, 1, wait, Cause: null));
            await Task.Delay(wait, time, either.Token);
        }
    }

    /// <summary>
    /// Joins the queue. Waits while the store is out of reach, if the stream had joined before or was told to wait for its server.
    /// </summary>
    private async Task<InProcessSubscription> JoinAsync(
        Queues.QueueName name, string? start, bool hasJoined, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await consumers.JoinAsync(name, Options, start, OnCancelled);
            }
            catch (PushQueueException e) when (
                e.Type == ProblemTypes.StoreUnavailable && (hasJoined || Options.WaitForServer))
            {
                OnReconnecting(new Reconnecting(Queue, attempt, RetryInterval, e));
                await Task.Delay(RetryInterval, time, cancellationToken);
            }
        }
    }

    /// <summary>False where the stream goes on from where it was.</summary>
    private bool IsOver(CloseReason? end)
    {
        // A server that stops takes the program with it.
        var stops = end?.Name == CloseReason.ServerShutdown.Name;
        if (end is null || (end.Reconnect && !stops))
        {
            return false;
        }

        EndReason = end.Name;
        return end == CloseReason.Normal || end == CloseReason.QueueDeleted
            ? true
            : throw new PushQueueException(stops ? ProblemTypes.ShuttingDown : end.Name, end.Sentence);
    }
}
