namespace PushQueue.Queues;

/// <summary>Puts that wait for the end of their message.</summary>
internal sealed partial class MessageBroker
{
    public async ValueTask<BrokerResult<AwaitedPut>> PutAndWaitAsync(
        QueueName queue, NewMessage message, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var waiter = finishes.Register(queue, message.Id, options.WaitingPutsMax);
        if (waiter is null)
        {
            hits?.Count(LimitNames.WaitingPuts);
            return new BrokerFailure(
                QueueError.TooManyWaiting,
                $"{options.WaitingPutsMax} puts already wait for their messages; put without waiting, or try again later.");
        }

        var put = await PutAsync(queue, message);
        if (!put.Ok)
        {
            return put.Failure;
        }

        var id = put.Value.Id;
        waiter.Identify(id);
        if (waiter.Finished.IsCompleted && message.Id is not null && !_draining)
        {
            // A message that had this id before may have ended just then. Where one is live it is the one to wait for.
            var before = waiter.Finished;
            waiter.WaitOn();
            if (await store.FindAsync(queue, id) is null && !waiter.Finished.IsCompleted)
            {
                return Ended(put.Value, await before);
            }
        }
        else if (put.Value.Duplicate && await store.FindAsync(queue, id) is null && !waiter.Finished.IsCompleted)
        {
            // Within the dedup window: that message ended before anybody asked.
            return new AwaitedPut(put.Value, End: null, Gone: true);
        }

        try
        {
            using var timeout = new CancellationTokenSource(wait < WaitMax ? wait : WaitMax, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            while (true)
            {
                var finished = waiter.Finished;
                var end = await finished.WaitAsync(either.Token);
                if (!ReferenceEquals(end, FinishedMessage.Unseen))
                {
                    return new AwaitedPut(put.Value, end);
                }

                waiter.WaitOn();
                if (await store.FindAsync(queue, id) is null && !waiter.Finished.IsCompleted)
                {
                    return Ended(put.Value, end);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new AwaitedPut(put.Value, End: null);
        }
    }

    private static AwaitedPut Ended(PutOutcome put, FinishedMessage? end) =>
        ReferenceEquals(end, FinishedMessage.Unseen) ? new AwaitedPut(put, End: null, Gone: true) : new AwaitedPut(put, end);
}
