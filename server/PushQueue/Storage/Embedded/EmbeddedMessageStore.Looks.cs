using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>Broadcasting, and everything that only looks.</summary>
internal sealed partial class EmbeddedMessageStore
{
    public ValueTask<StoreUsage?> MeasureAsync()
    {
        if (_services.Log is not { } log)
        {
            return new((StoreUsage?)null);
        }

        var segments = log.Segments();
        var used = segments.Sum(static segment => Math.Max(segment.Length, segment.FileLength));
        try
        {
            var disk = new DriveInfo(Path.GetFullPath(_options.DataDirectory));
            return new(new StoreUsage(used, disk.AvailableFreeSpace, disk.TotalSize, segments.Count));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A file system that does not say how full it is.
            return new(new StoreUsage(used, null, null, segments.Count));
        }
    }

    public async ValueTask<IReadOnlyList<Message>> BroadcastAsync(QueueName queue, int count, int bytesMax)
    {
        if (Find(queue) is not { } found)
        {
            return [];
        }

        OutgoingMessages outgoing;
        do
        {
            outgoing = found.Broadcast(count, bytesMax);
            if (outgoing.Count == 0)
            {
                return [];
            }

            WriteNow(outgoing.Batch);
            await outgoing.LoadBodiesAsync(_services.Damage);
            if (outgoing.Unreadable.Count > 0)
            {
                found.CountLostBroadcasts(outgoing.Unreadable.Count);
            }
        }
        while (outgoing.Count == 0);

        // Without the proof on disk nobody may see an offset: a broken log stops the broadcast, and a disk without any room holds it up.
        // Offsets of puts are on disk already.
        return outgoing.Batch is null ? outgoing.Messages : await outgoing.Batch.Synced switch
        {
            CommitOutcome.Committed => outgoing.Messages,
            CommitOutcome.DiskFull => throw NoProof(),
            _ => [],
        };
    }

    public void EndPushing(QueueName queue) => Find(queue)?.EndPushing();

    public ValueTask<HistoryPage?> ReadHistoryAsync(QueueName queue, long fromOffset, int count, int bytesMax) =>
        ReadBroadcastAsync(queue, fromOffset, count, bytesMax, latest: false);

    public ValueTask<HistoryPage?> ReadLatestAsync(QueueName queue, long fromOffset, int count, int bytesMax) =>
        ReadBroadcastAsync(queue, fromOffset, count, bytesMax, latest: true);

    private async ValueTask<HistoryPage?> ReadBroadcastAsync(QueueName queue, long fromOffset, int count, int bytesMax, bool latest)
    {
        if (Find(queue) is not { } found)
        {
            return null;
        }

        OutgoingMessages outgoing;
        BroadcastPosition position;
        bool allDamaged;
        do
        {
            outgoing = latest
                ? found.ReadLatest(fromOffset, count, bytesMax, out position)
                : found.ReadHistory(fromOffset, count, bytesMax, out position);
            var last = outgoing.LastOffset;
            await outgoing.LoadBodiesAsync(_services.Damage);
            allDamaged = outgoing.Count == 0 && last > 0;
            fromOffset = last + 1;
        }
        while (allDamaged);

        // History may hold what is only just being broadcast: nobody sees an offset before it is on disk.
        var outcome = outgoing.Batch is null ? CommitOutcome.Committed : await outgoing.Batch.Synced;
        return outcome switch
        {
            CommitOutcome.Committed => new HistoryPage(outgoing.Messages, position),
            CommitOutcome.DiskFull => throw NoProof(),
            _ => new HistoryPage([], position),
        };
    }

    private static StoreUnavailableException NoProof() =>
        new("The disk and its reserve are full: broadcast messages are delivered once their offsets can be written.");

    public async ValueTask<Message?> LookAsync(QueueName queue)
    {
        if (Find(queue) is not { } found)
        {
            return null;
        }

        OutgoingMessages outgoing;
        do
        {
            outgoing = found.Look();
            await LoadBodiesAsync(found, outgoing);
        }
        while (outgoing.IsExhausted);

        return outgoing.Count > 0 ? outgoing.Messages[0] : null;
    }

    public async ValueTask<Message?> FindAsync(QueueName queue, MessageId id)
    {
        if (Find(queue)?.Find(id) is not { } outgoing)
        {
            return null;
        }

        await outgoing.LoadBodiesAsync(_services.Damage);
        return outgoing.Count > 0 ? outgoing.Messages[0] : null;
    }

    public async ValueTask<BrokerResult<MessagePage>> BrowseAsync(QueueName queue, MessageState state, string? after, int limit)
    {
        if (!PageKey.TryParse(after, out var place))
        {
            return new BrokerFailure(QueueError.BadOption, "'after' must be the 'next' of an earlier page.");
        }

        if (Find(queue) is not { } found)
        {
            return new MessagePage([], Next: null);
        }

        var outgoing = found.Browse(state, after is null ? null : place, limit, out var next);
        await outgoing.LoadBodiesAsync(_services.Damage);
        return new MessagePage(outgoing.Messages, next);
    }

    public ValueTask<KeyPage> ListKeysAsync(QueueName queue, string? after, int limit) =>
        new(Find(queue)?.Keys(after, limit) ?? KeyPage.Empty);

    public ValueTask<IReadOnlyList<MessageId>> NewestAsync(QueueName queue, int count) => new(Find(queue)?.Newest(count) ?? []);

    public async ValueTask<BrokerResult<bool>> CancelAsync(QueueName queue, MessageId id)
    {
        return Find(queue) is { } found ? await AnswerWhenSyncedAsync(found.Cancel(id)) : false;
    }

    public async ValueTask<BrokerResult<bool>> RescheduleAsync(QueueName queue, MessageId id, DateTimeOffset availableAt)
    {
        return Find(queue) is { } found ? await AnswerWhenSyncedAsync(found.Reschedule(id, availableAt)) : false;
    }

    public async ValueTask<BrokerResult<int>> ReplayAsync(QueueName deadLetterQueue, MessageId? id, int count)
    {
        if (!deadLetterQueue.IsDeadLetter)
        {
            return new BrokerFailure(
                QueueError.BadOption, $"'{deadLetterQueue}' is not a dead-letter queue; its name would end in '{QueueName.DeadSuffix}'.");
        }

        if (Find(deadLetterQueue) is not { } dead)
        {
            return id is null ? 0 : new BrokerFailure(QueueError.NotFound, $"No message '{id}' is in '{deadLetterQueue}'.");
        }

        BrokerResult<Recorded<int>>? result;
        while ((result = GetOrCreate(deadLetterQueue.Source).ReplayFrom(dead, id, count)) is null)
        {
            if (Find(deadLetterQueue) is not { } again)
            {
                return 0;
            }

            dead = again;
        }

        return result.Value.Ok ? await AnswerWhenSyncedAsync(result.Value.Value) : result.Value.Failure;
    }
}
