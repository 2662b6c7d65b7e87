using PushQueue.Client;
using PushQueue.Delivery.Encoding;

namespace PushQueue.InProcess;

/// <summary>The messages of a queue of this process.</summary>
internal sealed class InProcessStream(
    InProcessConsumers consumers, string queue, ConsumeOptions options, CancellationToken cancellationToken) : MessageStream(queue, options)
{
    private readonly CancellationToken _cancellationToken = cancellationToken;

    public override async IAsyncEnumerator<Message> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
        var name = Refusals.Queue(Queue);
        var start = Options.From;
        EndReason = null;
        while (true)
        {
            var subscription = await consumers.JoinAsync(name, Options, start, OnCancelled);
            try
            {
                start = subscription.Cursor;
                OnConnected();
                var batch = new List<object>();
                while (await subscription.Inbox.TakeAllAsync(batch, either.Token) is { } taken)
                {
                    foreach (var item in taken)
                    {
                        if (item is not Message message)
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

            // It read too slowly under broadcast, and resumes where it was.
            OnReconnecting(new Reconnecting(Queue, 1, TimeSpan.Zero, Cause: null));
        }
    }

    /// <summary>False where the stream goes on from where it was.</summary>
    private bool IsOver(CloseReason? end)
    {
        if (end is null || end == CloseReason.SlowConsumer || end == CloseReason.Stalled)
        {
            return false;
        }

        EndReason = end.Name;
        return end == CloseReason.Normal || end == CloseReason.QueueDeleted
            ? true
            : throw new PushQueueException(end.Name == "server-shutdown" ? ProblemTypes.ShuttingDown : end.Name, end.Sentence);
    }
}
