namespace PushQueue.Queues;

/// <summary>The rules of subscriptions that need no look at other queues.</summary>
internal sealed partial class MessageBroker
{
    private static BrokerFailure? WhyNoSubscription(QueueName queue, QueueSettingsPatch patch)
    {
        if (patch.Subscriptions is not { Count: > 0 } subscriptions)
        {
            return null;
        }

        if (queue.IsDeadLetter)
        {
            return new BrokerFailure(
                QueueError.BadOption, $"'{queue}' is a dead-letter queue and cannot subscribe; let another queue do so.");
        }

        foreach (var entry in subscriptions.Entries)
        {
            if (entry.To == queue.Value)
            {
                return new BrokerFailure(QueueError.BadOption, $"The queue '{queue}' cannot subscribe to itself; name other queues.");
            }
        }

        return null;
    }
}
