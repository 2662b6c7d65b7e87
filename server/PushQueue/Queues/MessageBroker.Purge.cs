namespace PushQueue.Queues;

/// <summary>Emptying a queue that stays: in steps, so that no lock and no script is held for a million messages.</summary>
internal sealed partial class MessageBroker
{
    private const int PurgeStep = 1000;

    public async ValueTask<BrokerResult<long?>> PurgeAsync(QueueName queue)
    {
        if (await store.GetQueueAsync(queue) is not { } info)
        {
            return (long?)null;
        }

        // Messages that are put meanwhile do not count, or the loop might never end.
        var (purged, wanted) = (0L, info.Waiting);
        while (purged < wanted)
        {
            var step = await store.PurgeAsync(queue, (int)Math.Min(PurgeStep, wanted - purged));
            if (!step.Ok)
            {
                return step.Failure;
            }

            if (step.Value == 0)
            {
                break;
            }

            purged += step.Value;
        }

        return (long?)purged;
    }
}
