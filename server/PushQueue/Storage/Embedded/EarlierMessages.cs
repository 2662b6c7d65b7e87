using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>
/// Chooses what is copied next of what a source held when a subscription began: its history in the order of the offsets, then the messages
/// that it still holds in the order in which they were put. A message that is broadcast meanwhile is found at the end of history. Only the
/// copying loop calls it.
/// </summary>
/// <param name="source">The source.</param>
/// <param name="copying">How far the copying is; read without the lock of its queue, because only the loop changes it.</param>
internal sealed class EarlierMessages(EmbeddedQueue source, EarlierCopying copying)
{
    private const int CountMax = 256;
    private const int BytesMax = 1024 * 1024;

    private long[]? _held;
    private int _next;

    /// <summary>The next messages, in their order.</summary>
    public List<EarlierMessage> Chosen { get; } = [];

    /// <summary>Where the copying is once the chosen messages are copied.</summary>
    public long Offset { get; private set; }

    public long Sequence { get; private set; }

    /// <summary>Whether nothing is left behind the chosen messages.</summary>
    public bool IsLast { get; private set; }

    /// <summary>The batch to wait for, where the next message is still on its way to the disk.</summary>
    public LogBatch? WaitFor { get; private set; }

    /// <summary>Chooses the next messages. Null where the source was deleted.</summary>
    public OutgoingMessages? Choose()
    {
        using var transaction = source.Begin();
        if (transaction.State.IsDeleted)
        {
            return null;
        }

        Chosen.Clear();
        (Offset, Sequence, IsLast, WaitFor) = (copying.Offset, copying.Sequence, false, null);
        var outgoing = source.NewOutgoing();
        var bytes = 0L;
        IsLast = ChooseHistory(transaction.State, outgoing, ref bytes)
            && ChooseHeld(transaction.State, outgoing, ref bytes, transaction.Now);
        return outgoing;
    }

    private bool ChooseHistory(QueueState state, OutgoingMessages outgoing, ref long bytes)
    {
        foreach (var message in state.History.Behind(Offset))
        {
            // Messages that were put after the subscription began have their copies; others were copied while they were held.
            if (message.Sequence < copying.Bound && message.Sequence > copying.Sequence)
            {
                if (!Add(outgoing, message, isDelayed: false, ref bytes))
                {
                    return false;
                }
            }

            Offset = message.Offset;
        }

        return true;
    }

    private bool ChooseHeld(QueueState state, OutgoingMessages outgoing, ref long bytes, long now)
    {
        if (_held is null)
        {
            // Once: a message with such a number cannot come back.
            _held = [.. state.Index.Between(copying.Sequence, copying.Bound)];
            Array.Sort(_held);
        }

        for (; _next < _held.Length; _next++)
        {
            if (state.Index.Find(_held[_next]) is { } message)
            {
                if (message.Place == MessagePlace.Pending)
                {
                    WaitFor = Chosen.Count == 0 ? state.LastPut : null;
                    return false;
                }

                // A retry delay is the source's own: the copy does not wait for it.
                var isDelayed = message.AvailableAtMs > now && message is { Attempts: 0, Place: MessagePlace.Delayed };
                if (!Add(outgoing, message, isDelayed, ref bytes))
                {
                    return false;
                }
            }

            Sequence = _held[_next];
        }

        return true;
    }

    private bool Add(OutgoingMessages outgoing, StoredMessage message, bool isDelayed, ref long bytes)
    {
        if (Chosen.Count > 0 && (Chosen.Count == CountMax || bytes + message.BodyLength > BytesMax))
        {
            return false;
        }

        bytes += message.BodyLength;
        outgoing.Add(message, message.Attempts, source.Name);

        // All that are ready at one time: so they are given out in the order in which they are copied.
        var availableAtMs = isDelayed ? message.AvailableAtMs : copying.BeganAtMs;
        Chosen.Add(new EarlierMessage(message, outgoing.Messages[^1], availableAtMs, isDelayed));
        return true;
    }

    /// <summary>After a failure: chooses the same messages again.</summary>
    public void Repeat() => (_held, _next) = (null, 0);
}

/// <summary>A message that is about to be copied.</summary>
/// <param name="Original">The message in its source.</param>
/// <param name="Read">The same, with its body once that is read.</param>
/// <param name="AvailableAtMs">When the copy becomes available.</param>
/// <param name="IsDelayed">Whether that time is still to come.</param>
internal readonly record struct EarlierMessage(StoredMessage Original, Message Read, long AvailableAtMs, bool IsDelayed);
