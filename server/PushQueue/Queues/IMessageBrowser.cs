namespace PushQueue.Queues;

/// <summary>Looks at messages without taking part in their delivery. The rules of <see cref="IMessageStore"/> hold here, too.</summary>
internal interface IMessageBrowser
{
    /// <summary>
    /// The next ready message, left where it is; its <see cref="Message.Looks"/> counts this look. Null if no message is ready.
    /// </summary>
    ValueTask<Message?> LookAsync(QueueName queue);

    /// <summary>
    /// Messages of one state in the order in which they come out; <paramref name="after"/> is an opaque <see cref="MessagePage.Next"/>.
    /// A page may be shorter than its limit: it ends at 16 MiB of bodies, after one message at least.
    /// </summary>
    /// <returns>
    /// Fails with BadOption if <paramref name="after"/> did not come from this operation. An unknown queue gives an empty page.
    /// </returns>
    ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit);

    /// <summary>
    /// The ids of the ready messages that are last in the order, the very last first. A store that can begin at that end does; this
    /// way through all pages serves the others.
    /// </summary>
    async ValueTask<IReadOnlyList<MessageId>> NewestAsync(QueueName queue, int count)
    {
        const int PageSize = 1000;
        var newest = new Queue<MessageId>();
        string? after = null;
        do
        {
            var page = await BrowseAsync(queue, MessageState.Ready, after, PageSize);
            if (!page.Ok)
            {
                break;
            }

            foreach (var message in page.Value.Messages)
            {
                newest.Enqueue(message.Id);
                if (newest.Count > count)
                {
                    newest.Dequeue();
                }
            }

            after = page.Value.Next;
        }
        while (after is not null);

        return [.. newest.Reverse()];
    }

    /// <summary>A live message by id, in any state; null if no live message has the id.</summary>
    ValueTask<Message?> FindAsync(QueueName queue, MessageId id);

    /// <summary>
    /// Keys that have live messages, in the order of their names; those behind <paramref name="after"/>, at most <paramref name="limit"/>.
    /// </summary>
    ValueTask<KeyPage> ListKeysAsync(QueueName queue, string? after, int limit);

    /// <summary>How many messages, ready or delayed, have an <see cref="Message.AvailableAt"/> up to <paramref name="dueBy"/>.</summary>
    ValueTask<long> CountDueAsync(QueueName queue, DateTimeOffset dueBy);
}
