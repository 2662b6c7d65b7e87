namespace PushQueue.Queues;

/// <summary>The same operations on a queue that somebody looks at.</summary>
internal sealed partial class MessageBroker
{
    private async ValueTask<BrokerResult<PutOutcome>> PutWithTailAsync(QueueName queue, NewMessage message)
    {
        var put = await store.PutAsync(queue, message);
        if (put.Ok)
        {
            tails.OnPut(queue, message, put.Value);
        }

        return put;
    }

    private async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyWithTailAsync(
        QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        var put = await store.PutManyAsync(queue, messages);
        for (var i = 0; put.Ok && i < messages.Count; i++)
        {
            tails.OnPut(queue, messages[i], put.Value[i]);
        }

        return put;
    }

    private void TellTaken(QueueName queue, BrokerResult<IReadOnlyList<Message>> taken, string? worker)
    {
        if (!taken.Ok || !tails.Watches(queue))
        {
            return;
        }

        foreach (var message in taken.Value)
        {
            tails.OnHandedOut(message, worker is null ? "take" : $"take by {worker}");
        }
    }

    private void TellLeased(QueueName queue, BrokerResult<IReadOnlyList<Lease>> leased, string? worker)
    {
        if (!leased.Ok || !tails.Watches(queue))
        {
            return;
        }

        foreach (var lease in leased.Value)
        {
            tails.OnHandedOut(lease.Message, worker is null ? "lease" : $"lease by {worker}");
        }
    }
}
