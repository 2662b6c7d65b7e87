using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// A put into a queue that has subscribers: the message and its copies are checked against the rules of all their queues, whose locks are
/// held together, and then written in one record. All or none of it happens.
/// </summary>
internal sealed class CopyingPut
{
    private readonly EmbeddedQueue _source;
    private readonly SubscriberSet _set;
    private readonly long _now;

    // Each message with the messages of its record: its own and its copies.
    private readonly List<List<MessagePart>> _records = [];
    private readonly List<StoredMessage> _repeated = [];

    // The subscribers that get a copy of the message in hand.
    private readonly List<int> _wanting = [];

    private int _copies;

    // How much of this put is admitted already, by subscriber; the source's is the last.
    private readonly (int Messages, long Bytes)[] _ahead;

    private readonly long[] _nextSequences;

    private CopyingPut(EmbeddedQueue source, SubscriberSet set, long now)
    {
        _nextSequences = Array.ConvertAll(set.InLockOrder, static queue => queue.State.Index.NextSequence);
        _source = source;
        _set = set;
        _now = now;
        _ahead = new (int, long)[set.Subscribers.Length + 1];
    }

    /// <summary>Null where the queue has no subscribers any more, has others, or was deleted: look it up again.</summary>
    /// <param name="source">The queue.</param>
    /// <param name="messages">The messages, all or none of which are stored.</param>
    public static BrokerResult<PutManyTicket>? Run(EmbeddedQueue source, IReadOnlyList<NewMessage> messages)
    {
        if (source.Subscribers is not { } set)
        {
            return null;
        }

        using var transaction = new SharedTransaction(set.InLockOrder);
        if (source.State.IsDeleted || source.Subscribers != set)
        {
            return null;
        }

        return new CopyingPut(source, set, transaction.Now).Put(messages);
    }

    private BrokerResult<PutManyTicket> Put(IReadOnlyList<NewMessage> messages)
    {
        _source.State.NoteUse(_now);
        var outcomes = new PutOutcome[messages.Count];
        for (var i = 0; i < messages.Count; i++)
        {
            if (_source.Admission.FindKnown(messages[i].Id, out var pending) is { } known)
            {
                if (pending is not null)
                {
                    _repeated.Add(pending);
                }

                outcomes[i] = new PutOutcome(known, Duplicate: true);
                continue;
            }

            if (Admit(messages[i], out var failure) is not { } parts)
            {
                Forget();
                return messages.Count == 1
                    ? failure
                    : failure with { Detail = $"{failure.Detail} (message {i + 1} of the batch; nothing was stored)" };
            }

            outcomes[i] = new PutOutcome(parts[0].Message.Id, Duplicate: false, parts.Count - 1);
        }

        if (_records.Count == 0)
        {
            return new PutManyTicket(outcomes, _repeated.Count > 0 ? _source.State.LastPut : null, _repeated);
        }

        foreach (var parts in _records)
        {
            foreach (var part in parts)
            {
                ((EmbeddedQueue)part.Owner).State.NoteUse(_now);
            }
        }

        var batch = _source.State.Journal.Put(_records, isBatch: messages.Count > 1);
        foreach (var queue in _set.InLockOrder)
        {
            queue.State.LastPut = batch;
        }

        return new PutManyTicket(outcomes, batch, _repeated);
    }

    /// <summary>
    /// Admits a message and its copies as pending. Null where a rule of one of the queues forbids it: all are asked before one changes, so
    /// that a refused put uses up no number.
    /// </summary>
    private List<MessagePart>? Admit(NewMessage message, out BrokerFailure failure)
    {
        var ahead = _ahead[^1];
        if ((_source.Admission.WhyNot(message, ahead) ?? WhyNoCopy(message)) is { } refusal)
        {
            failure = refusal;
            return null;
        }

        failure = default;
        var stored = _source.Admission.Admit(message, _now);
        _ahead[^1] = (ahead.Messages + 1, ahead.Bytes + stored.BodyLength);
        var parts = new List<MessagePart>(_wanting.Count + 1) { new(_source, _source.Number, stored) };
        _records.Add(parts);
        foreach (var index in _wanting)
        {
            var queue = _set.Subscribers[index].Queue;
            parts.Add(new MessagePart(queue, queue.Number, queue.Admission.AdmitCopy(stored, message, _now)));
            _ahead[index] = (_ahead[index].Messages + 1, _ahead[index].Bytes + stored.BodyLength);
        }

        return parts;
    }

    /// <summary>Finds the subscribers that get a copy, and the limit of one of them that forbids it.</summary>
    private BrokerFailure? WhyNoCopy(NewMessage message)
    {
        _wanting.Clear();
        if (message.CountsAsFailure)
        {
            // A worker that puts back what it had taken puts nothing new: the copies were made when the message came.
            return null;
        }

        for (var i = 0; i < _set.Subscribers.Length; i++)
        {
            var queue = _set.Subscribers[i].Queue;
            if (queue.State.IsDeleted || !_set.Subscribers[i].Wants(message.Headers))
            {
                continue;
            }

            if (queue.Admission.FindKnown(message.Id, out _) is not null)
            {
                // Also where that message is still on its way to the disk: this put is stored, whether the other one arrives or not.
                continue;
            }

            if (queue.Admission.WhyFull(message.Body.Length, _ahead[i]) is { } full)
            {
                return full;
            }

            _wanting.Add(i);
        }

        _copies += _wanting.Count;
        return _copies > QueueSubscriptions.CopiesMax ? QueueSubscriptions.TooManyCopies(_source.Name) : null;
    }

    private void Forget()
    {
        foreach (var parts in _records)
        {
            foreach (var part in parts)
            {
                ((EmbeddedQueue)part.Owner).State.ForgetPending(part.Message);
            }
        }

        for (var i = 0; i < _nextSequences.Length; i++)
        {
            _set.InLockOrder[i].State.Index.TakeBackSequences(_nextSequences[i]);
        }
    }
}
