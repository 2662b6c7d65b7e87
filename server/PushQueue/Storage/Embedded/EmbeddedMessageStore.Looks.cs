using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>Broadcasting, and everything that looks at single messages.</summary>
internal sealed partial class EmbeddedMessageStore
{
    public async ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax)
    {
        if (Find(queue) is not { } found)
        {
            return [];
        }

        var given = found.Broadcast(count, bytesMax);
        if (given.Batch is null)
        {
            return [];
        }

        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);

        // Without the proof on disk nobody may see an offset: a broken log stops the broadcast.
        return await given.Batch.Synced.ConfigureAwait(false) == CommitOutcome.Committed ? given.Messages : [];
    }

    public async ValueTask<HistoryPage?> ReadHistoryAsync(QueueName queue, long fromOffset, int count, int bytesMax)
    {
        if (Find(queue) is not { } found)
        {
            return null;
        }

        var given = found.ReadHistory(fromOffset, count, bytesMax, out var position);
        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);

        // History may hold what is only just being broadcast: nobody sees an offset before it is on disk.
        return await SyncedAsync(given.Batch).ConfigureAwait(false) is null ? new HistoryPage(given.Messages, position) : new HistoryPage([], position);
    }

    public ValueTask<Message?> LookAsync(QueueName queue) => FirstAsync(Find(queue)?.Look());

    public ValueTask<Message?> FindAsync(QueueName queue, MessageId id) => FirstAsync(Find(queue)?.Find(id));

    public async ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit)
    {
        string? next = null;
        var given = Find(queue) is { } found ? found.Browse(state, after, limit, out next) : EmbeddedQueue.BrowseNothing(after);
        if (given is null)
        {
            return new BrokerFailure(QueueError.BadOption, "'after' must be the 'next' of an earlier page.");
        }

        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);
        return new MessagePage(given.Messages, next);
    }

    public async ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id)
    {
        if (Find(queue) is not { } found || !found.Cancel(id, out var batch))
        {
            return false;
        }

        return await SyncedAsync(batch).ConfigureAwait(false) is { } failure ? failure : true;
    }

    public async ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt)
    {
        if (Find(queue) is not { } found || !found.Reschedule(id, availableAt, out var batch))
        {
            return false;
        }

        return await SyncedAsync(batch).ConfigureAwait(false) is { } failure ? failure : true;
    }

    public async ValueTask<BrokerResult<int>> ReplayAsync(QueueName deadLetterQueue, MessageId? id, int count)
    {
        if (!deadLetterQueue.IsDeadLetter)
        {
            return new BrokerFailure(QueueError.BadOption, $"'{deadLetterQueue}' is no dead-letter queue; its name would end in '{QueueName.DeadSuffix}'.");
        }

        if (Find(deadLetterQueue) is not { } dead)
        {
            return id is null ? 0 : new BrokerFailure(QueueError.NotFound, $"No message '{id}' rests in '{deadLetterQueue}'.");
        }

        BrokerResult<int>? result;
        LogBatch? batch;
        while ((result = GetOrCreate(deadLetterQueue.Source).ReplayFrom(dead, id, count, out batch)) is null)
        {
            if (Find(deadLetterQueue) is not { } again)
            {
                return 0;
            }

            dead = again;
        }

        return await SyncedAsync(batch).ConfigureAwait(false) is { } failure ? failure : result.Value;
    }

    private async ValueTask<Message?> FirstAsync(GivenMessages? given)
    {
        if (given is null)
        {
            return null;
        }

        await given.LoadBodiesAsync(_reportDamage).ConfigureAwait(false);
        return given.Count > 0 ? given.Messages[0] : null;
    }
}
