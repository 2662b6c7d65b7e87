using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>Putting, taking, leasing: what the answers wait for.</summary>
internal sealed partial class EmbeddedMessageStore
{
    public async ValueTask<BrokerResult<PutOutcome>> PutAsync(QueueName queue, NewMessage message)
    {
        if (RefusesPuts() is { } refusal)
        {
            return refusal;
        }

        BrokerResult<PutTicket>? result;
        EmbeddedQueue put;
        while ((result = (put = GetOrCreate(queue)).Subscribers is null ? put.Put(message) : PutWithCopies(put, message)) is null)
        {
            // Deleted at that very moment: the message makes the queue again. Or it has other subscribers by now.
        }

        if (!result.Value.Ok)
        {
            return result.Value.Failure;
        }

        var ticket = result.Value.Value;
        WriteNow(ticket.Batch);
        if (ticket.Batch is not null && Failure(await ticket.Batch.Additions) is { } failure)
        {
            return failure;
        }

        // The message that this put seemed to repeat was still on its way to the disk and may not have arrived.
        if (ticket.Repeated is { } repeated && put.WasRefused(repeated))
        {
            return new BrokerFailure(QueueError.DiskFull);
        }

        return new PutOutcome(ticket.Id, ticket.Duplicate, ticket.Copies);
    }

    private static BrokerResult<PutTicket>? PutWithCopies(EmbeddedQueue queue, NewMessage message)
    {
        if (CopyingPut.Run(queue, [message]) is not { } result)
        {
            return null;
        }

        return result.Ok ? PutTicket.Of(result.Value) : result.Failure;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<PutOutcome>>> PutManyAsync(QueueName queue, IReadOnlyList<NewMessage> messages)
    {
        if (messages.Count == 0)
        {
            return Array.Empty<PutOutcome>();
        }

        if (RefusesPuts() is { } refusal)
        {
            return refusal;
        }

        BrokerResult<PutManyTicket>? result;
        EmbeddedQueue put;
        while ((result = (put = GetOrCreate(queue)).Subscribers is null ? put.PutMany(messages) : CopyingPut.Run(put, messages)) is null)
        {
            // Deleted at that very moment: the messages make the queue again. Or it has other subscribers by now.
        }

        if (!result.Value.Ok)
        {
            return result.Value.Failure;
        }

        var ticket = result.Value.Value;
        WriteNow(ticket.Batch);
        if (ticket.Batch is not null && Failure(await ticket.Batch.Additions) is { } failure)
        {
            return failure;
        }

        return ticket.Repeated.Any(put.WasRefused) ? new BrokerFailure(QueueError.DiskFull) : ticket.Outcomes;
    }

    public async ValueTask<BrokerResult<IReadOnlyList<Message>>> TakeAsync(
        QueueName queue,
        int count,
        int bytesMax,
        Selection selection = default,
        bool evenWhenStopped = false,
        int bytesAtOnce = int.MaxValue)
    {
        if (Find(queue) is not { } found)
        {
            return Array.Empty<Message>();
        }

        OutgoingMessages outgoing;
        do
        {
            var result = found.Take(count, bytesMax, selection, evenWhenStopped, bytesAtOnce);
            if (!result.Ok)
            {
                return result.Failure;
            }

            outgoing = result.Value;
            if (outgoing.LacksBodies)
            {
                await ReadTakenAsync(found, outgoing);
            }

            WriteNow(outgoing.Batch);
        }
        while (outgoing.IsExhausted);

        return await WrittenAsync(outgoing.Batch) is { } failure ? failure : Answer(outgoing.Messages);
    }

    public async ValueTask<BrokerResult<IReadOnlyList<Lease>>> LeaseAsync(QueueName queue, LeaseRequest request)
    {
        if (Find(queue) is not { } found)
        {
            return Array.Empty<Lease>();
        }

        OutgoingMessages outgoing;
        do
        {
            var result = found.Lease(request);
            if (!result.Ok)
            {
                return result.Failure;
            }

            outgoing = result.Value;
            WriteNow(outgoing.Batch);
            await LoadBodiesAsync(found, outgoing);
        }
        while (outgoing.IsExhausted);

        return await WrittenAsync(outgoing.Batch) is { } failure ? failure : Answer(outgoing.Leases);
    }

    /// <summary>Brings in the bodies; a message whose body cannot be read becomes a dead letter.</summary>
    private async ValueTask LoadBodiesAsync(EmbeddedQueue queue, OutgoingMessages outgoing)
    {
        await outgoing.LoadBodiesAsync(_services.Damage);
        if (outgoing.Unreadable.Count > 0)
        {
            queue.DeadLetterUnreadable(outgoing.Unreadable);
        }
    }

    private async ValueTask ReadTakenAsync(EmbeddedQueue queue, OutgoingMessages outgoing)
    {
        var failed = true;
        try
        {
            await LoadBodiesAsync(queue, outgoing);
            failed = false;
        }
        finally
        {
            queue.FinishTake(outgoing, failed);
        }
    }

    /// <summary>Writes the batch of this operation; see <see cref="MessageLog.BeginAppend"/>.</summary>
    private void WriteNow(LogBatch? batch)
    {
        if (batch is not null)
        {
            _services.Log.WriteNow(batch);
        }
    }

    private BrokerFailure? RefusesPuts()
    {
        if (UnavailableReason is { } reason)
        {
            return new BrokerFailure(QueueError.StoreUnavailable, reason);
        }

        return _services.Log.DiskFull ? new BrokerFailure(QueueError.DiskFull) : null;
    }

    private BrokerFailure? Failure(CommitOutcome outcome) => outcome switch
    {
        CommitOutcome.Committed => null,
        CommitOutcome.DiskFull => new BrokerFailure(QueueError.DiskFull),
        _ => new BrokerFailure(QueueError.StoreUnavailable, UnavailableReason),
    };

    private async ValueTask<BrokerFailure?> WrittenAsync(LogBatch? batch) =>
        batch is null ? null : Failure(await batch.Written);

    private async ValueTask<BrokerResult<T>> AnswerWhenSyncedAsync<T>(Recorded<T> answer) =>
        answer.Batch is { } batch && Failure(await batch.Synced) is { } failure ? failure : answer.Value;

    private static BrokerResult<IReadOnlyList<T>> Answer<T>(IReadOnlyList<T> list) => BrokerResult<IReadOnlyList<T>>.Success(list);
}
