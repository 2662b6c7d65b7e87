using System.Globalization;

namespace PushQueue.Queues;

/// <summary>The messages that queues have broadcast and still keep.</summary>
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

    /// <summary>
    /// No consumer of the queue is live here. Messages that got their offsets with their puts (<see cref="IQueueChangeListener.Pushes"/>)
    /// and that <see cref="IMessageStore.BroadcastAsync"/> has not returned go to history, and
    /// <see cref="IQueueChangeListener.OnBroadcast"/> reports it. A store that gives offsets in
    /// <see cref="IMessageStore.BroadcastAsync"/> only has no such messages.
    /// </summary>
    void EndPushing(QueueName queue)
    {
    }

    /// <summary>Lists history, the oldest message first, in pages as <see cref="IMessageBrowser.BrowseAsync"/> does.</summary>
    async ValueTask<BrokerResult<MessagePage>> BrowseHistoryAsync(QueueName queue, string? after, int limit)
    {
        const int BytesMax = 16 * 1024 * 1024;
        var last = 0L;
        if (after is not null && !long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out last))
        {
            return new BrokerFailure(QueueError.BadOption, "'after' must be the 'next' of an earlier page.");
        }

        if (last == long.MaxValue || await ReadHistoryAsync(queue, last + 1, limit, BytesMax) is not { Messages: [.., var end] } page)
        {
            return new MessagePage([], Next: null);
        }

        var isLast = end.Offset + 1 >= page.Position.NextOffset;
        return new MessagePage(page.Messages, isLast ? null : end.Offset.ToString(CultureInfo.InvariantCulture));
    }
}
