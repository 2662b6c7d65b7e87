using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The cleaner's view of a queue: what of it stands in a segment, and how that moves to the end of the log.</summary>
internal static class QueueCarry
{
    /// <summary>The messages, live or in history, whose latest whole record stands in that segment.</summary>
    public static IReadOnlyList<StoredMessage> MessagesIn(this EmbeddedQueue queue, Segment segment)
    {
        using var transaction = queue.Begin();
        var state = transaction.State;
        var found = new List<StoredMessage>();
        foreach (var message in state.Index.All)
        {
            if (message.Segment == segment && message.Place != MessagePlace.Pending)
            {
                found.Add(message);
            }
        }

        found.AddRange(state.History.InOrder().Where(message => message.Segment == segment));

        return found;
    }

    /// <summary>Writes a message to the end of the log again, so that its old segment can go. Null where it is gone or has moved.</summary>
    public static LogBatch? Carry(this EmbeddedQueue queue, StoredMessage message, Segment from, ReadOnlySpan<byte> body)
    {
        using var transaction = queue.Begin();
        if (!MayCarry(queue, message, from))
        {
            return null;
        }

        var batch = transaction.State.Journal.Carried(message, from, body);
        message.CarriedTo = batch.Segment;
        return batch;
    }

    /// <summary>
    /// As <see cref="Carry"/> for messages of several queues that stand in one record: what is left of them shares one again.
    /// </summary>
    public static LogBatch? CarryTogether(IReadOnlyList<MessagePart> parts, Segment from, ReadOnlySpan<byte> body)
    {
        EmbeddedQueue[] queues = 
        [
            .. parts.Select(static part => (EmbeddedQueue)part.Owner).Distinct()
                .OrderBy(static queue => queue.Name.IsDeadLetter).ThenBy(static queue => queue.Number),
        ];
        using var transaction = new SharedTransaction(queues);
        var staying = parts.Where(part => MayCarry((EmbeddedQueue)part.Owner, part.Message, from)).ToArray();
        if (staying.Length == 0)
        {
            return null;
        }

        var batch = queues[0].State.Journal.CarriedTogether(staying, from, body);
        foreach (var part in staying)
        {
            part.Message.CarriedTo = batch.Segment;
        }

        return batch;
    }

    private static bool MayCarry(EmbeddedQueue queue, StoredMessage message, Segment from) =>
        !queue.State.IsDeleted && message.Segment == from && message.Place is not (MessagePlace.Gone or MessagePlace.Pending);

    /// <summary>A body that was read ahead.</summary>
    public static void KeepBody(this EmbeddedQueue queue, StoredMessage message, byte[] body)
    {
        using var transaction = queue.Begin();
        if (message.Place == MessagePlace.Ready && message.Body is null)
        {
            transaction.State.Services.Cache.KeepIfRoom(message, body);
        }
    }

    /// <summary>Writes the ids that the segment proves to the end of the log.</summary>
    public static void CarryKnownIds(this EmbeddedQueue queue, Segment from)
    {
        using var transaction = queue.Begin();
        foreach (var (id, untilMs) in transaction.State.KnownIds.ProvedBy(from))
        {
            var batch = transaction.State.Journal.KnownId(id, untilMs);
            transaction.State.KnownIds.Relocate(id, batch.Segment);
        }
    }
}
