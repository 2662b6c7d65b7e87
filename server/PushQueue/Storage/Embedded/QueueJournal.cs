using System.Runtime.InteropServices;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Appends the records of one queue to the log and returns the batch that each is in. The only place where a queue writes. Called with the
/// queue's lock held. The operations that wait for their own record write it themselves (see <see cref="MessageLog.BeginAppend"/>).
/// </summary>
internal sealed class QueueJournal(StoreServices services, ILogOwner owner, long queue)
{
    /// <param name="message">The message.</param>
    /// <param name="pushed">Set where the message may get its offset in the same write.</param>
    public LogBatch Put(StoredMessage message, PushedPuts? pushed)
    {
        using var appender = services.Log.BeginAppend(writesItself: true);
        appender.Message(owner, queue, message, message.Body);
        pushed?.Join(appender, [message]);
        return appender.Batch;
    }

    /// <summary>All or none count after a crash.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="pushed">Set where the messages may get their offsets in the same write.</param>
    public LogBatch Put(ReadOnlySpan<StoredMessage> messages, PushedPuts? pushed)
    {
        using var appender = services.Log.BeginAppend(writesItself: true);
        appender.Messages(owner, queue, messages);
        pushed?.Join(appender, messages);
        return appender.Batch;
    }

    /// <summary>
    /// Messages, each with the copies that it has in other queues, whose locks are held, too. All or none count after a crash.
    /// </summary>
    public LogBatch Put(List<List<MessagePart>> records, bool isBatch)
    {
        using var appender = services.Log.BeginAppend(writesItself: true);
        if (isBatch)
        {
            appender.BatchStart(records.Count);
        }

        foreach (var parts in records)
        {
            if (parts is [var only])
            {
                appender.Message(only.Owner, only.Queue, only.Message, only.Message.Body);
            }
            else
            {
                appender.Copies(CollectionsMarshal.AsSpan(parts), parts[0].Message.Body);
            }

            foreach (var part in parts)
            {
                ((EmbeddedQueue)part.Owner).State.ExpectedPushes?.Join(appender, [part.Message]);
            }
        }

        if (isBatch)
        {
            appender.BatchEnd(records.Count);
        }

        return appender.Batch;
    }

    /// <summary>
    /// Copies of what the source of a subscription held, and how far that is. All or none count after a crash.
    /// </summary>
    public LogBatch PutEarlier(ReadOnlySpan<StoredMessage> copies, EarlierCopying copying)
    {
        using var appender = services.Log.BeginAppend(writesItself: true);
        appender.BatchStart(copies.Length, queue, copying);
        foreach (var copy in copies)
        {
            appender.Message(owner, queue, copy, copy.Body);
        }

        appender.BatchEnd(copies.Length);
        return appender.Batch;
    }

    /// <summary>Without copies; see <see cref="MessageAppends.Earlier"/>.</summary>
    public void Earlier(EarlierCopying copying, bool ended)
    {
        using var appender = services.Log.BeginAppend();
        appender.Earlier(queue, copying, ended);
    }

    /// <summary>A take or an ack removes messages.</summary>
    public LogBatch Taken(ReadOnlySpan<StoredMessage> messages)
    {
        using var appender = services.Log.BeginAppend(writesItself: true);
        appender.Removed(queue, messages);
        return appender.Batch;
    }

    public LogBatch Removed(StoredMessage message)
    {
        using var appender = services.Log.BeginAppend();
        appender.Removed(queue, [message]);
        return appender.Batch;
    }

    /// <summary>Callers of a cancel or a purge wait for the disk.</summary>
    public LogBatch Cancelled(ReadOnlySpan<StoredMessage> messages)
    {
        using var appender = services.Log.BeginAppend();
        appender.Removed(queue, messages);
        appender.Batch.NeedsSync = true;
        return appender.Batch;
    }

    /// <summary>The messages just got leases with these terms, each with a receipt of its own.</summary>
    public LogBatch Leased(LeaseDetails terms, ReadOnlySpan<StoredMessage> messages)
    {
        using var appender = services.Log.BeginAppend(writesItself: true);
        appender.Leased(queue, terms.Worker, terms.UntilMs, terms.CallerUntilMs, messages);
        return appender.Batch;
    }

    /// <summary>The message as it is after a release, a renewal or a reschedule.</summary>
    public LogBatch Changed(StoredMessage message, bool needsSync = false)
    {
        using var appender = services.Log.BeginAppend();
        appender.Changed(queue, message);
        appender.Batch.NeedsSync |= needsSync;
        return appender.Batch;
    }

    public LogBatch Broadcast(long nowMs, ReadOnlySpan<StoredMessage> messages)
    {
        using var appender = services.Log.BeginAppend(writesItself: true);
        appender.Broadcast(queue, nowMs, messages);
        return appender.Batch;
    }

    /// <summary>One record for both queues: no crash can leave the message in both or in none.</summary>
    public LogBatch Moved(StoredMessage message, QueueState target, StoredMessage arrived)
    {
        using var appender = services.Log.BeginAppend();
        appender.Moved(queue, message, target.Number, arrived);
        appender.Batch.NeedsSync = true;
        return appender.Batch;
    }

    public LogBatch State(QueueStateRecord state)
    {
        using var appender = services.Log.BeginAppend();
        appender.QueueState(state);
        return appender.Batch;
    }

    public LogBatch Deleted(IEnumerable<Segment> segments)
    {
        using var appender = services.Log.BeginAppend();
        appender.QueueDeleted(queue, segments);
        return appender.Batch;
    }

    /// <summary>Writes the whole message to the end of the log again, so that its old segment can go.</summary>
    public LogBatch Carried(StoredMessage message, Segment from, ReadOnlySpan<byte> body)
    {
        using var appender = services.Log.BeginAppend();
        appender.Message(owner, queue, message, body);
        appender.Batch.Segment.AddReference(from);
        if (message.CarriedTo is { } earlierCopy)
        {
            // A copy made before the message changed hands may still come; what is written now supersedes it too.
            appender.Batch.Segment.AddReference(earlierCopy);
        }

        return appender.Batch;
    }

    /// <summary>As <see cref="Carried"/> for messages of several queues, whose locks are held, in one record.</summary>
    public LogBatch CarriedTogether(ReadOnlySpan<MessagePart> parts, Segment from, ReadOnlySpan<byte> body)
    {
        using var appender = services.Log.BeginAppend();
        if (parts.Length == 1)
        {
            appender.Message(parts[0].Owner, parts[0].Queue, parts[0].Message, body);
        }
        else
        {
            appender.CarriedCopies(parts, new SharedRecord(), body);
        }

        appender.Batch.Segment.AddReference(from);
        foreach (var part in parts)
        {
            if (part.Message.CarriedTo is { } earlierCopy)
            {
                appender.Batch.Segment.AddReference(earlierCopy);
            }
        }

        return appender.Batch;
    }

    public LogBatch KnownId(string id, long untilMs)
    {
        using var appender = services.Log.BeginAppend();
        appender.KnownId(queue, id, untilMs);
        return appender.Batch;
    }
}
