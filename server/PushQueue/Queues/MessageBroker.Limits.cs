namespace PushQueue.Queues;

/// <summary>
/// The limits of the node over all queues. Checked before a put, whose copies for subscribers count, too; puts that come at the same moment
/// may together exceed a limit by their number.
/// </summary>
internal sealed partial class MessageBroker
{
    private BrokerFailure BatchTooLarge() => new(
        QueueError.BatchTooLarge,
        $"A batch may contain {options.BatchMessagesMax} messages; send the rest in another batch. Nothing was stored.");

    /// <summary>Whether a limit may be reached, so that it is worth a closer look.</summary>
    private bool IsNearLimit(long messages, long bytes)
    {
        if (store.Totals is not { } totals)
        {
            return false;
        }

        // hot path: every put. How many copies a put makes is looked up only where the most of them would exceed a limit.
        var copies = MostCopies(messages);
        return totals.Queues >= options.QueuesMax
            || totals.Messages + messages + copies > options.MessagesMax
            || totals.Bytes > options.BytesMax - bytes - BytesOfCopies(messages, bytes, copies);
    }

    private static long MostCopies(long messages) =>
        Math.Min(messages * QueueSubscriptions.TotalMax, QueueSubscriptions.CopiesMax);

    private static double BytesOfCopies(long messages, long bytes, long copies) => messages == 0 ? 0 : (double)bytes / messages * copies;

    private ValueTask<BrokerResult<PutOutcome>> AdmittedPutAsync(QueueName queue, NewMessage message) =>
        tails.Watches(queue) ? PutWithTailAsync(queue, message) : store.PutAsync(queue, message);

    private ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> AdmittedPutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages) =>
        tails.Watches(queue) ? PutManyWithTailAsync(queue, messages) : store.PutManyAsync(queue, messages);

    private async ValueTask<BrokerResult<PutOutcome>> PutNearLimitAsync(QueueName queue, NewMessage message) =>
        await WhyFullAsync(queue, 1, message.Body.Length) is { } failure ? failure : await AdmittedPutAsync(queue, message);

    private async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyNearLimitAsync(
        QueueName queue, IReadOnlyList<NewMessage> messages, long bytes) =>
        await WhyFullAsync(queue, messages.Count, bytes) is { } failure ? failure : await AdmittedPutManyAsync(queue, messages);

    private async ValueTask<BrokerResult<QueueSettings>> UpdateNearLimitAsync(QueueName queue, QueueSettingsPatch patch) =>
        await WhyFullAsync(queue, 0, 0) is { } failure ? failure : await store.UpdateSettingsAsync(queue, patch);

    private async ValueTask<BrokerFailure?> WhyFullAsync(QueueName queue, int messages, long bytes)
    {
        var totals = store.Totals.GetValueOrDefault();
        if (totals.Queues >= options.QueuesMax && await store.GetQueueAsync(queue) is null)
        {
            hits?.Count(LimitNames.Queues);
            return new BrokerFailure(
                QueueError.TooManyQueues,
                $"The server has reached its limit of {options.QueuesMax} queues; use or delete an existing queue. Nothing was stored.");
        }

        // Filters may leave out some of them: near the limit a put that might exceed it is refused.
        var copies = messages == 0 ? 0 : Math.Min(messages * (long)(await store.SubscribersAsync(queue)).Count, MostCopies(messages));
        if (messages > 0 && totals.Messages + messages + copies > options.MessagesMax)
        {
            hits?.Count(LimitNames.Messages);
            return new BrokerFailure(
                QueueError.ServerFull,
                $"The server has reached its limit of {options.MessagesMax} messages; try again after some have been taken. Nothing was "
                    + "stored.");
        }

        if (messages > 0 && totals.Bytes > options.BytesMax - bytes - BytesOfCopies(messages, bytes, copies))
        {
            hits?.Count(LimitNames.Bytes);
            return new BrokerFailure(
                QueueError.ServerFull,
                $"The server has reached its limit of {options.BytesMax} bytes of messages; try again after some have been taken. "
                    + "Nothing was stored.");
        }

        return null;
    }
}
