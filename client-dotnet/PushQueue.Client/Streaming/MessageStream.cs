namespace PushQueue.Client;

/// <summary>
/// The messages of a queue as they are pushed: <c>await foreach</c> over it. Each enumeration is a consumer of its own. It connects
/// again by itself, resumes where it was, and goes on with the leases that it held. It ends when the queue is deleted; it throws
/// where the server refuses it, where an operator ends it and where the server cannot be reached at first
/// (unless <see cref="ConsumeOptions.WaitForServer"/>).
/// </summary>
public sealed class MessageStream : IAsyncEnumerable<Message>
{
    private readonly PushQueueClient _client;
    private readonly CancellationToken _cancellationToken;

    internal MessageStream(PushQueueClient client, string queue, ConsumeOptions options, CancellationToken cancellationToken)
    {
        _client = client;
        Queue = queue;
        Options = options;
        _cancellationToken = cancellationToken;
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

    /// <summary>The queue.</summary>
    public string Queue { get; }

    internal ConsumeOptions Options { get; }

    /// <summary>Why the server ended the last enumeration; null where it did not.</summary>
    internal Streaming.StreamEnd? End { get; set; }

    /// <inheritdoc/>
    public async IAsyncEnumerator<Message> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
        var session = new Streaming.StreamSession(_client, this);
        session.Start();
        try
        {
            var batch = new List<object>();
            while (await session.Inbox.TakeAllAsync(batch, either.Token).ConfigureAwait(false) is { } taken)
            {
                foreach (var item in taken)
                {
                    if (item is not Message message)
                    {
                        GapFound?.Invoke((Gap)item);
                    }
                    else if (message.Receipt is null || message.TryStart())
                    {
                        // A message that was cancelled or lost while it waited here is skipped.
                        yield return message;
                    }
                }

                taken.Clear();
                batch = taken;
            }
        }
        finally
        {
            await session.StopAsync().ConfigureAwait(false);
        }
    }

    internal void OnCancelled(string id) => Cancelled?.Invoke(id);

    internal void OnReconnecting(Reconnecting reconnecting) => Reconnecting?.Invoke(reconnecting);

    internal void OnConnected() => Connected?.Invoke();
}
