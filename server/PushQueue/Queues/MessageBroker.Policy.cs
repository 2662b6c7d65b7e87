namespace PushQueue.Queues;

/// <summary>Puts and leases that give their queue a policy where it has none yet.</summary>
internal sealed partial class MessageBroker
{
    private async ValueTask<BrokerResult<PutOutcome>> PutWithPolicyAsync(QueueName queue, NewMessage message, DeliveryPolicy policy) =>
        await WhyNoPolicyAsync(queue, 1, message.Body.Length, policy) is { } failure ? failure : await AdmittedPutAsync(queue, message);

    private async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyWithPolicyAsync(
        QueueName queue, IReadOnlyList<NewMessage> messages, long bytes, DeliveryPolicy policy) =>
        await WhyNoPolicyAsync(queue, messages.Count, bytes, policy) is { } failure ? failure : await AdmittedPutManyAsync(queue, messages);

    /// <summary>Asks the limits first, so that a put that they refuse makes no queue.</summary>
    private async ValueTask<BrokerFailure?> WhyNoPolicyAsync(QueueName queue, int messages, long bytes, DeliveryPolicy policy)
    {
        if (IsNearLimit(messages, bytes) && await WhyFullAsync(queue, messages, bytes) is { } full)
        {
            return full;
        }

        var made = await store.UpdateSettingsAsync(queue, QueueSettingsPatch.PolicyOf(policy, SettingsCondition.UndecidedPolicy));
        return made.Ok ? null : made.Failure;
    }

    /// <summary>The queue is asked for only where nothing was leased, so that a busy queue does not pay for it.</summary>
    private async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseOrMakeQueueAsync(
        QueueName queue, TakeRequest request, DeliveryPolicy policy)
    {
        var result = await LeaseFromStoreAsync(queue, request);
        if (!result.Ok || result.Value.Count > 0)
        {
            return result;
        }

        var made = await UpdateSettingsAsync(queue, QueueSettingsPatch.PolicyOf(policy, SettingsCondition.NewQueue));
        return made.Ok ? result : made.Failure;
    }
}
