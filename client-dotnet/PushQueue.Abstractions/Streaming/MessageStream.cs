using PushQueue.Client.Streaming;

namespace PushQueue.Client;

/// <summary>
/// The messages of a queue as they are pushed: <c>await foreach</c> over it. Each enumeration is a separate consumer. It ends when the
/// queue is deleted; it throws where it is refused and where an operator ends it. Over HTTP it connects again by itself, resumes where it
/// was, and goes on with the leases that it held; it throws where the server cannot be reached at first (unless
/// <see cref="ConsumeOptions.WaitForServer"/>).
/// </summary>
public abstract class MessageStream : IAsyncEnumerable<Message>
{
    /// <summary>A cursor, or the last message with one: the text is made only for a program that wants it.</summary>
    private object? _place;

    /// <summary>A stream that is not enumerated yet.</summary>
    protected MessageStream(string queue, ConsumeOptions options)
    {
        Queue = queue;
        Options = options;
    }

    /// <summary>Messages that are missed; raised in line with the messages, before the next one.</summary>
    public event Action<Gap>? GapFound;

    /// <summary>The id of a message that this program holds and that was cancelled. Raised at once, on a thread of the pool; the message's
    /// <see cref="Message.Ended"/> is cancelled, too.</summary>
    public event Action<string>? Cancelled;

    /// <summary>The connection broke, or the server asked to connect again. Raised on a thread of the pool.</summary>
    public event Action<Reconnecting>? Reconnecting;

    /// <summary>The stream stands, for the first time or again. Raised on a thread of the pool.</summary>
    public event Action? Connected;

    /// <summary>A queue has joined a stream over many. Raised on a thread of the pool; in process in line with the messages.</summary>
    public event Action<string>? QueueJoined;

    /// <summary>
    /// A queue has left a stream over many, or does not join it, and why: <c>queue-deleted</c>, <c>access-ended</c>, <c>stream-full</c>,
    /// <c>disconnected</c> or <c>server-error</c>. Raised on a thread of the pool; in process in line with the messages.
    /// </summary>
    public event Action<string, string>? QueueLeft;

    /// <summary>The queue; empty for a stream over many.</summary>
    public string Queue { get; }

    /// <summary>How the queue is consumed.</summary>
    public ConsumeOptions Options { get; }

    /// <summary>Why the last enumeration was ended from the other side, such as <see cref="ProblemTypes.QueueDeleted"/>; null where it was
    /// not.</summary>
    public string? EndReason { get; protected internal set; }

    /// <summary>
    /// Where the last enumeration was, as <see cref="ConsumeOptions.From"/> of the next one: behind the last broadcast message that the
    /// program got. Null before it is known, and where nothing is broadcast. Of a stream over many queues it is one cursor over all of
    /// them, for a stream over the same queues and patterns. It may then stand before the last messages, which come again. Safe to read
    /// while the enumeration waits.
    /// </summary>
    public string? Cursor => Volatile.Read(ref _place) switch
    {
        Message message => message.Cursor,
        var cursor => (string?)cursor,
    };

    /// <summary>The leases of the last enumeration; null before the first.</summary>
    internal HeldMessages? Held { get; set; }

    /// <inheritdoc/>
    public abstract IAsyncEnumerator<Message> GetAsyncEnumerator(CancellationToken cancellationToken = default);

    /// <summary>The enumeration is at this cursor; null where that is not known.</summary>
    protected internal void MoveTo(string? cursor) => Volatile.Write(ref _place, cursor);

    /// <summary>The program gets a message, which may have a cursor.</summary>
    protected internal void MoveTo(Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.HasCursor)
        {
            Volatile.Write(ref _place, message);
        }
    }

    /// <summary>Raises <see cref="GapFound"/>.</summary>
    protected internal void OnGap(Gap gap) => GapFound?.Invoke(gap);

    /// <summary>Raises <see cref="Cancelled"/>.</summary>
    protected internal void OnCancelled(string id) => Cancelled?.Invoke(id);

    /// <summary>Raises <see cref="Reconnecting"/>.</summary>
    protected internal void OnReconnecting(Reconnecting reconnecting) => Reconnecting?.Invoke(reconnecting);

    /// <summary>Raises <see cref="Connected"/>.</summary>
    protected internal void OnConnected() => Connected?.Invoke();

    /// <summary>Raises <see cref="QueueJoined"/>.</summary>
    protected internal void OnJoined(string queue) => QueueJoined?.Invoke(queue);

    /// <summary>Raises <see cref="QueueLeft"/>.</summary>
    protected internal void OnLeft(string queue, string code) => QueueLeft?.Invoke(queue, code);
}
