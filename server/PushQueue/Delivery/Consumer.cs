using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// One subscription of one connection to one queue: its options, and under roundrobin its credit. The queue's <see
/// cref="QueueDispatcher"/> decides what it gets, and alone touches the members named for it.
/// </summary>
internal sealed class Consumer(
    long number, QueueName queue, OutboundBuffer buffer, MessageFormat format, ConsumerOptions options, DateTimeOffset since)
{
    private HeldSet? _holds;
    private int _inFlight;
    private int _reserved;
    private long _delivered;
    private long _acked;
    private long _failed;
    private long _lastAcked;

    public long Number => number;

    public QueueName Queue => queue;

    public OutboundBuffer Buffer => buffer;

    public MessageFormat Format => format;

    public ConsumerOptions Options => options;

    public DateTimeOffset Since => since;

    /// <summary>By which a later connection takes up its place; null for a consumer without grace.</summary>
    public string? Token { get; set; }

    /// <summary>The place that the client is notified of; null for a consumer without grace.</summary>
    public ConsumerPlace? Place { get; set; }

    /// <summary>Its place in a stream over many queues; null for a stream of its own.</summary>
    public SetMember? Member { get; init; }

    /// <summary>The next offset that it wants while it catches up; 0 once it is live.</summary>
    public long CatchUpOffset { get; set; }

    /// <summary>Owned by <see cref="HeldLeases"/>. Made when first asked for: most consumers hold nothing.</summary>
    public HeldSet Holds => LazyInitializer.EnsureInitialized(ref _holds, static () => new HeldSet());

    /// <summary>
    /// The last offset before the first round that it takes part in; without an epoch where the queue had none yet. Set by the dispatcher,
    /// under its lock.
    /// </summary>
    public Cursor JoinedAt { get; set; } = new(string.Empty, 0);

    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Messages handed to its connection.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    /// <summary>Messages that it acked, or that were done once written.</summary>
    public long Acked => Volatile.Read(ref _acked);

    /// <summary>The highest <see cref="HeldLease.Order"/> that it acked: it has begun all that it got before.</summary>
    public long LastAcked => Volatile.Read(ref _lastAcked);

    /// <summary>Leases that it gave back or let run out.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Set once, when it has joined.</summary>
    public QueueDispatcher? Dispatcher { get; set; }

    /// <summary>Set by the dispatcher, under its lock, when the consumer is gone for good.</summary>
    public bool HasLeft { get; set; }

    /// <summary>How many more messages it can take now under roundrobin.</summary>
    public int Room
    {
        get
        {
            if (!buffer.IsOpen || buffer.IsOverHalf)
            {
                return 0;
            }

            return Member is null ? Math.Max(0, Prefetch - InFlight) : Member.Set.Credit.Free;
        }
    }

    /// <summary>How many messages may be on their way to it at once.</summary>
    public int Prefetch => options.PrefetchOrDefault;

    /// <summary>Broadcast messages not sent to it yet: those it catches up with, and those that wait for its connection.</summary>
    public long Lag
    {
        get
        {
            if (Dispatcher is not { IsRoundRobin: false } dispatcher)
            {
                return 0;
            }

            var next = dispatcher.NextOffset;
            var first = buffer.OldestWaitingOffset(this) is > 0 and var waiting ? waiting : CatchUpOffset;
            return first > 0 ? Math.Max(0, next - first) : 0;
        }
    }

    /// <summary>The round's plan: how many messages are meant for it. Only the dispatcher's own loop touches it.</summary>
    public int Planned { get; set; }

    /// <summary>Plans one more message for it, if it has room.</summary>
    public bool TryPlan()
    {
        if (Member is null ? Planned >= Room : !buffer.IsOpen || buffer.IsOverHalf || !Member.Set.Credit.TryTake(this))
        {
            return false;
        }

        Planned++;
        _reserved++;
        return true;
    }

    /// <summary>The round found fewer messages than were planned. Before its messages are given out.</summary>
    public void EndPlan()
    {
        if (Member is { } member)
        {
            var unused = _reserved - (Assigned?.Count ?? 0);
            _reserved = 0;
            if (unused > 0)
            {
                member.Set.Credit.EndTurn(this, unused);
            }
        }
    }

    /// <summary>Messages in flight that were taken away without an end of their own.</summary>
    public void GiveBackCredit(int messages)
    {
        if (messages > 0)
        {
            Member?.Set.Credit.GiveBack(messages);
        }
    }

    /// <summary>The round's messages for it. Only the dispatcher's own loop touches it.</summary>
    public List<Lease>? Assigned { get; set; }

    /// <summary>
    /// Messages are on their way; those of a manual consumer count as delivered at once, because only their lease matters.
    /// </summary>
    public void OnPushed(int messages, bool manual)
    {
        _ = Interlocked.Add(ref _inFlight, messages);
        if (manual)
        {
            _ = Interlocked.Add(ref _delivered, messages);
        }
    }

    /// <summary>The offset up to which a consumer with a filter was passed over; null for one that gets all messages.</summary>
    public PassedMessages? Passed { get; } = options.Filter is null ? null : new PassedMessages();

    /// <summary>Messages of a broadcast round. Rounds and catching up never overlap for one consumer, so a plain addition does.</summary>
    public void OnBroadcast(int messages) => _delivered += messages;

    /// <summary>Messages of an auto consumer were written, or not.</summary>
    public void OnWritten(int messages, bool written)
    {
        if (written)
        {
            _ = Interlocked.Add(ref _delivered, messages);
            _ = Interlocked.Add(ref _acked, messages);
        }

        Free(messages);
    }

    /// <summary>It acked the message of this order; acks may come in any order, and from several threads.</summary>
    public void OnAcked(long order)
    {
        var last = LastAcked;
        while (last < order && Interlocked.CompareExchange(ref _lastAcked, order, last) is var seen && seen != last)
        {
            last = seen;
        }
    }

    /// <summary>Messages of a manual consumer are no longer in flight.</summary>
    public void OnSettled(int messages, HeldEnd end)
    {
        if (end == HeldEnd.Acked)
        {
            _ = Interlocked.Add(ref _acked, messages);
        }
        else if (end == HeldEnd.Failed)
        {
            _ = Interlocked.Add(ref _failed, messages);
        }

        Free(messages);
    }

    private void Free(int messages)
    {
        _ = Interlocked.Add(ref _inFlight, -messages);
        GiveBackCredit(messages);
        OnRoom();
    }

    public void OnRoom() => Dispatcher?.OnRoom();
}
