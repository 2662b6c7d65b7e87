using PushQueue.Client;
using PushQueue.Client.Streaming;
using PushQueue.Delivery.Encoding;

namespace PushQueue.InProcess;

/// <summary>The messages of a queue of this process, or of many.</summary>
internal sealed class InProcessStream(
    InProcessConsumers consumers,
    InProcessSurroundings surroundings,
    string queue,
    QueueSelection? selection,
    ConsumeOptions options,
    CancellationToken cancellationToken)
    : MessageStream(queue, options)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly CancellationToken _cancellationToken = cancellationToken;

    private string Name => selection?.ToString() ?? Queue;

    public override async IAsyncEnumerator<Message> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
        var place = new InProcessPlace(Options.From, selection is not null);
        EndReason = null;
        MoveTo(cursor: null);
        var hasJoined = false;
        while (true)
        {
            var subscription = await JoinAsync(place.Start, hasJoined, either.Token);
            hasJoined = true;
            try
            {
                Held = subscription.Held;
                place.Begin(subscription);
                if (selection is not null)
                {
                    MoveTo(subscription.Cursor);
                }

                OnConnected();
                var batch = new List<object>();
                while (await subscription.Inbox.TakeAllAsync(batch, either.Token) is { } taken)
                {
                    foreach (var item in taken)
                    {
                        if (item is not Message message)
                        {
                            place.Move(item);
                            Report(item);
                        }
                        else if (message.Receipt is not null && subscription.Stops)
                        {
                            // It goes back as if it had never been given out.
                            continue;
                        }
                        else if (place.TryMove(message) && (message.Receipt is null || message.TryStart()))
                        {
                            // A message that was cancelled or lost while it waited here is skipped.
                            MoveTo(message);
                            yield return message;
                        }
                    }

                    taken.Clear();
                    batch = taken;
                }

                if (subscription.Stops)
                {
                    await subscription.WhenSettledAsync(either.Token);
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
            OnReconnecting(new Reconnecting(Name, 1, wait, Cause: null));
            await Task.Delay(wait, surroundings.Time, either.Token);
        }
    }

    private void Report(object notice)
    {
        switch (notice)
        {
            case Client.Gap gap:
                OnGap(gap);
                break;
            case JoinedNotice joined:
                OnJoined(joined.Queue);
                break;
            case LeftNotice left:
                OnLeft(left.Queue, left.Code);
                break;
            case Cursor passed when selection is null:
                MoveTo(passed.ToString());
                break;
            case string cursor:
                MoveTo(cursor);
                break;
            default:
                // The place in one queue of many is part of the next cursor.
                break;
        }
    }

    /// <summary>
    /// Joins the queues. Waits while the store is out of reach, if the stream had joined before or was told to wait for its server.
    /// </summary>
    private async Task<InProcessSubscription> JoinAsync(
        string? start, bool hasJoined, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return selection is null
                    ? await consumers.JoinAsync(Refusals.Queue(Queue), Options, start, OnCancelled)
                    : await consumers.JoinManyAsync(selection, Options, start, OnCancelled);
            }
            catch (PushQueueException e) when (
                e.Type == ProblemTypes.StoreUnavailable && (hasJoined || Options.WaitForServer))
            {
                LogWait(attempt, e);
                OnReconnecting(new Reconnecting(Name, attempt, RetryInterval, e));
                await Task.Delay(RetryInterval, surroundings.Time, cancellationToken);
            }
        }
    }

    /// <summary>A warning for a store that is away; the tries that follow only at level Debug.</summary>
    private void LogWait(int attempt, PushQueueException reason)
    {
        if (attempt == 1)
        {
            Log.WaitsForStore(surroundings.Logger, Name, reason.Detail);
        }
        else
        {
            Log.StillWaits(surroundings.Logger, Name, attempt, reason.Detail);
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
