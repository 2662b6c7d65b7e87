namespace PushQueue.Queues;

/// <summary>Reads the messages that queues have broadcast and still keep.</summary>
internal interface IBroadcastHistory
{
    /// <summary>
    /// Reads history from <paramref name="fromOffset"/> on, or from its beginning if that is later; null for an unknown queue.
    /// </summary>
    ValueTask<HistoryPage?> ReadHistoryAsync(QueueName queue, long fromOffset, int count, int bytesMax);

    /// <summary>
    /// Reads the newest broadcast message of each key in the order of offsets, from <paramref name="fromOffset"/> on. A message of a
    /// later page may have got a successor meanwhile and is left out then. Keys whose newest message has an empty body have none.
    /// Empty where <see cref="QueueSettings.HistoryPerKey"/> is off; null for an unknown queue.
    /// </summary>
    ValueTask<HistoryPage?> ReadLatestAsync(QueueName queue, long fromOffset, int count, int bytesMax);
}
