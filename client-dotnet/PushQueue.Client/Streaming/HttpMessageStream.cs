namespace PushQueue.Client.Streaming;

/// <summary>A stream from a server. Each enumeration has a <see cref="StreamSession"/>, which keeps its connection up.</summary>
internal sealed class HttpMessageStream(
    PushQueueClient client,
    string queue,
    ConsumeOptions options,
    CancellationToken cancellationToken,
    QueueSelection? selection = null)
    : MessageStream(queue, options)
{
    private readonly CancellationToken _cancellationToken = cancellationToken;

    /// <summary>The queues of a stream over many; null for one.</summary>
    public QueueSelection? Selection { get; } = selection;

    /// <inheritdoc/>
    public override async IAsyncEnumerator<Message> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_cancellationToken, cancellationToken);
        MoveTo(cursor: null);
        var session = new StreamSession(client, this);
        Held = session.Held;
        session.Start();
        try
        {
            var batch = new List<object>();
            while (await session.Inbox.TakeAllAsync(batch, either.Token).ConfigureAwait(false) is { } taken)
            {
                foreach (var item in taken)
                {
                    if (item is string cursor)
                    {
                        MoveTo(cursor);
                    }
                    else if (item is not Message message)
                    {
                        OnGap((Gap)item);
                    }
                    else if (message.Receipt is null || message.TryStart())
                    {
                        // A message that was cancelled or lost while it waited here is skipped.
                        MoveTo(message);
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
}
