using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>Questions to a queue that do not change its messages.</summary>
internal static class QueueLooks
{
    // A page is read and written as a whole; a thousand of the largest messages would be gigabytes at once.
    private const long PageBytesMax = 16 * 1024 * 1024;

    private static readonly IComparer<string> LastNameFirst = Comparer<string>.Create(static (x, y) => KeyNames.Compare(y, x));

    /// <summary>The next ready message, which counts the look.</summary>
    public static OutgoingMessages Look(this EmbeddedQueue queue)
    {
        using var transaction = queue.Begin();
        var outgoing = queue.NewOutgoing();
        if (transaction.State.Waiting.Ready.Peek() is { } message)
        {
            message.EnsureDetails().Looks++;
            outgoing.Add(message, message.Attempts, queue.Name);
        }

        return outgoing;
    }

    public static OutgoingMessages Find(this EmbeddedQueue queue, MessageId id)
    {
        using var transaction = queue.Begin();
        var outgoing = queue.NewOutgoing();
        if (transaction.State.Index.FindVisible(id) is { } message)
        {
            outgoing.Add(message, message.Attempts, queue.Name);
        }

        return outgoing;
    }

    /// <param name="queue">The queue.</param>
    /// <param name="state">Which messages.</param>
    /// <param name="after">The <paramref name="next"/> of the page before; null for the first page.</param>
    /// <param name="limit">
    /// At most this many; fewer where their bodies would be more than <see cref="PageBytesMax"/>, but at least one.
    /// </param>
    /// <param name="next">The <paramref name="after"/> of the next page; null on the last.</param>
    public static OutgoingMessages Browse(this EmbeddedQueue queue, MessageState state, PageKey? after, int limit, out string? next)
    {
        next = null;
        using var transaction = queue.Begin();
        var outgoing = queue.NewOutgoing();
        StoredMessage? last = null;
        var bytes = 0L;
        foreach (var message in InOrder(transaction.State, state, after?.ToPlace()))
        {
            // The last message of the page before may still stand at its place.
            if (after is { } place && !PageKey.Of(message).IsBehind(place))
            {
                continue;
            }

            bytes += message.BodyLength;
            if (outgoing.Count == limit || (outgoing.Count > 0 && bytes > PageBytesMax))
            {
                next = PageKey.Of(last!).ToString();
                break;
            }

            outgoing.Add(message, message.Attempts, queue.Name);
            last = message;
        }

        return outgoing;
    }

    /// <summary>The last of the ready messages, the very last first.</summary>
    public static IReadOnlyList<MessageId> Newest(this EmbeddedQueue queue, int count)
    {
        using var transaction = queue.Begin();
        return [.. transaction.State.Waiting.Ready.InReverse().Take(count).Select(static message => message.Id)];
    }

    /// <summary>How many messages, ready or delayed, are due by a caller's time.</summary>
    public static long CountDue(this EmbeddedQueue queue, DateTimeOffset dueBy)
    {
        using var transaction = queue.Begin();
        return transaction.State.Waiting.CountDue(transaction.State.Services.Clock.FromWall(dueBy));
    }

    /// <summary>Null for a queue that was deleted.</summary>
    public static QueueInfo? Info(this EmbeddedQueue queue)
    {
        using var transaction = queue.Begin();
        var state = transaction.State;
        if (state.IsDeleted)
        {
            return null;
        }

        var (ready, delayed, clock) = (state.Waiting.Ready, state.Waiting.Delayed, state.Services.Clock);
        return new QueueInfo
        {
            Name = state.Name,
            Settings = state.Settings,
            Ready = ready.Count,
            Delayed = delayed.Count,
            Leased = state.Leased.Count,
            Keys = state.Keys.Count,
            BlockedKeys = state.Keys.Blocked,
            History = state.History.Count,
            IsCopying = state.Earlier is not null,
            Bytes = state.Index.Bytes,
            OldestReadyAt = ready.PeekOldest() is { } oldest ? clock.ToWall(oldest.EnqueuedAtMs) : null,
            NextDelayedAt = delayed.First is { } first ? clock.ToWall(first.AvailableAtMs) : null,
            Position = state.Position,
            Counters = state.Counters.Snapshot(),
        };
    }

    /// <summary>Keys that have live messages, in the order of <see cref="KeyNames"/>.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="after">Only keys behind this one; null for all.</param>
    /// <param name="limit">At most this many.</param>
    public static KeyPage Keys(this EmbeddedQueue queue, string? after, int limit)
    {
        // The least of the names behind the given one: a heap of the page's size is enough to find them in one pass.
        using var transaction = queue.Begin();
        var clock = transaction.State.Services.Clock;
        var found = new PriorityQueue<MessageKey, string>(LastNameFirst);
        foreach (var key in transaction.State.Keys.All)
        {
            if (key.Ready + key.Delayed + key.Leased == 0 || (after is not null && KeyNames.Compare(key.Name, after) <= 0))
            {
                continue;
            }

            if (found.Count <= limit)
            {
                found.Enqueue(key, key.Name);
            }
            else
            {
                _ = found.EnqueueDequeue(key, key.Name);
            }
        }

        var keys = found.UnorderedItems.Select(static item => item.Element).ToList();
        keys.Sort(static (x, y) => KeyNames.Compare(x.Name, y.Name));
        var page = keys.Take(limit).Select(key => new KeyInfo(
            key.Name,
            key.Ready,
            key.Delayed,
            key.Leased,
            key.IsBlocked,
            key.First is { } first ? clock.ToWall(first.EnqueuedAtMs) : null));
        return new KeyPage([.. page], keys.Count > limit ? keys[limit - 1].Name : null);
    }

    private static IEnumerable<StoredMessage> InOrder(QueueState queue, MessageState state, StoredMessage? from) => state switch
    {
        MessageState.Ready => queue.Waiting.Ready.InOrder(from),
        MessageState.Dead when !queue.Name.IsDeadLetter => [],
        MessageState.Dead => queue.Waiting.Ready.InOrder(from).Where(static message => message.Details?.DeadLetter is not null),
        MessageState.Delayed => queue.Waiting.Delayed.InOrder(from),
        _ => queue.Leased.InOrder(from),
    };
}
