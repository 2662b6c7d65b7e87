namespace PushQueue.Queues;

/// <summary>Puts that wait for the end of their message.</summary>
internal sealed partial class MessageBroker
{
    public async ValueTask<BrokerResult<AwaitedPut>> PutAndWaitAsync(
        QueueName queue, NewMessage message, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var waiter = finishes.Register(queue, message.Id);
        if (waiter is null)
        {
            return new BrokerFailure(
                QueueError.TooManyWaiting, $"{FinishWaiters.WaitersMax} puts wait for their message already; put without waiting, or try again later.");
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
                return new AwaitedPut(put.Value, await before);
            }
        }
        else if (put.Value.Duplicate && await store.FindAsync(queue, id) is null && !waiter.Finished.IsCompleted)
        {
            // Within the dedup window: that message ended before anybody asked.
            return new AwaitedPut(put.Value, End: null, Gone: true);
        }

        try
        {
            return new AwaitedPut(put.Value, await waiter.Finished.WaitAsync(wait < WaitMax ? wait : WaitMax, time, cancellationToken));
        }
        catch (TimeoutException)
        {
            return new AwaitedPut(put.Value, End: null);
        }
    }
}
