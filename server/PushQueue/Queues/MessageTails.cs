namespace PushQueue.Queues;

/// <summary>
/// Lets people watch messages as they pass through this node: no message is taken, delayed or marked by it. The broker and the dispatcher
/// report what they do. That costs them one read of a field while nobody watches, and one look into a small dictionary for a queue that
/// nobody watches.
/// </summary>
internal sealed class MessageTails(TimeProvider time) : IQueueChangeListener
{
    private readonly Lock _gate = new();

    // Never changed once it is here; null while nobody watches.
    private volatile Dictionary<QueueName, MessageTail[]>? _tails;

    public bool Watches(QueueName queue) => _tails is { } tails && tails.ContainsKey(queue);

    public MessageTail Open(QueueName queue)
    {
        var tail = new MessageTail(queue);
        lock (_gate)
        {
            var tails = _tails is null ? [] : new Dictionary<QueueName, MessageTail[]>(_tails);
            tails[queue] = tails.TryGetValue(queue, out var others) ? [.. others, tail] : [tail];
            _tails = tails;
        }

        return tail;
    }

    public void Close(MessageTail tail)
    {
        lock (_gate)
        {
            if (_tails is null || !_tails.TryGetValue(tail.Queue, out var all))
            {
                return;
            }

            var tails = new Dictionary<QueueName, MessageTail[]>(_tails);
            if (all.Where(other => other != tail).ToArray() is { Length: > 0 } others)
            {
                tails[tail.Queue] = others;
            }
            else
            {
                tails.Remove(tail.Queue);
            }

            _tails = tails.Count > 0 ? tails : null;
        }
    }

    public void OnPut(QueueName queue, NewMessage message, PutOutcome outcome)
    {
        if (!outcome.Duplicate)
        {
            Note(queue, message.Body, start => new TailEvent(TailEventKind.Put, outcome.Id, time.GetUtcNow())
            {
                Start = start,
                BodyBytes = message.Body.Length,
                ContentType = message.ContentType,
                Priority = message.Priority,
                AvailableAt = message.AvailableAt,
                Key = message.Key,
                Headers = message.Headers,
            });
        }
    }

    /// <param name="message">A message that leaves the store.</param>
    /// <param name="to">The receiver, for people.</param>
    public void OnHandedOut(Message message, string to) =>
        Note(message.Queue, message.Body, start => new TailEvent(TailEventKind.HandedOut, message.Id, time.GetUtcNow())
        {
            Note = to,
            Start = start,
            BodyBytes = message.Body.Length,
            ContentType = message.ContentType,
            Priority = message.Priority,
            Offset = message.Offset,
            Key = message.Key,
            Headers = message.Headers,
        });

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome) =>
        Note(queue, id, outcome.Acked ? TailEventKind.Done : TailEventKind.Ended, outcome.Acked ? outcome.Worker : outcome.Reason);

    public void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt) => Note(queue, id, TailEventKind.Returned, null);

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt) => Note(queue, id, TailEventKind.Ended, "cancelled");

    public void OnReady(QueueName queue)
    {
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
    }

    public void OnDeleted(QueueName queue)
    {
    }

    private void Note(QueueName queue, MessageId id, TailEventKind kind, string? note)
    {
        if (_tails is { } tails && tails.TryGetValue(queue, out var all))
        {
            foreach (var tail in all)
            {
                tail.Note(new TailEvent(kind, id, time.GetUtcNow()) { Note = note });
            }
        }
    }

    private void Note(QueueName queue, ReadOnlyMemory<byte> body, Func<byte[], TailEvent> make)
    {
        if (_tails is not { } tails || !tails.TryGetValue(queue, out var all))
        {
            return;
        }

        TailEvent? tailEvent = null;
        foreach (var tail in all)
        {
            if (tail.HasRoom)
            {
                tail.Note(tailEvent ??= make(body[..Math.Min(body.Length, MessageTail.StartBytesMax)].ToArray()));
            }
            else
            {
                tail.CountMissed();
            }
        }
    }
}
