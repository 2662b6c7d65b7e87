namespace PushQueue.Queues;

/// <summary>
/// Queues as a whole: which there are, what they hold, their settings. The rules of <see cref="IMessageStore"/> hold here, too.
/// </summary>
internal interface IQueueCatalog
{
    /// <summary>Deletes the queue with its messages, history, settings and counters. False if the queue did not exist.</summary>
    ValueTask<BrokerResult<bool>> DeleteQueueAsync(QueueName queue);

    /// <summary>Null for a queue that was never made.</summary>
    ValueTask<QueueInfo?> GetQueueAsync(QueueName queue);

    /// <summary>The queues that get a copy of what is put into this one, which need not exist yet, by their names.</summary>
    ValueTask<IReadOnlyList<QueueName>> SubscribersAsync(QueueName queue);

    ValueTask<QueuePage> ListQueuesAsync(string? after, int limit);

    /// <summary>Changes settings durably, making the queue if it does not exist. Returns the settings as they are now.</summary>
    ValueTask<BrokerResult<QueueSettings>> UpdateSettingsAsync(QueueName queue, QueueSettingsPatch patch);
}
