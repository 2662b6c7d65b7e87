namespace PushQueue.Queues;

/// <summary>
/// Lets people watch messages as they pass through this node: no message is taken, delayed or marked by it. The broker and the dispatcher
/// report what they do. That costs them one read of a field while nobody watches, and one look into a small dictionary for a queue that
/// nobody watches.
/// </summary>
internal sealed class MessageTaps(TimeProvider time) : IQueueChangeListener
{
    private readonly Lock _gate = new();

    // Never changed once it is here; null while nobody watches.
    private volatile Dictionary<QueueName, MessageTap[]>? _taps;

    public bool Watches(QueueName queue) => _taps is { } taps && taps.ContainsKey(queue);

    public MessageTap Open(QueueName queue)
    {
        var tap = new MessageTap(queue);
        lock (_gate)
        {
            var taps = _taps is null ? [] : new Dictionary<QueueName, MessageTap[]>(_taps);
            taps[queue] = taps.TryGetValue(queue, out var others) ? [.. others, tap] : [tap];
            _taps = taps;
        }

        return tap;
    }

    public void Close(MessageTap tap)
    {
        lock (_gate)
        {
            if (_taps is null || !_taps.TryGetValue(tap.Queue, out var all))
            {
                return;
            }

            var taps = new Dictionary<QueueName, MessageTap[]>(_taps);
            if (all.Where(other => other != tap).ToArray() is { Length: > 0 } others)
            {
                taps[tap.Queue] = others;
            }
            else
            {
                taps.Remove(tap.Queue);
            }

            _taps = taps.Count > 0 ? taps : null;
        }
    }

    public void OnPut(QueueName queue, NewMessage message, PutOutcome outcome)
    {
        if (!outcome.Duplicate)
        {
            Note(queue, message.Body, start => new TappedEvent(TappedKind.Put, outcome.Id, time.GetUtcNow())
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
    public void OnGiven(Message message, string to) =>
        Note(message.Queue, message.Body, start => new TappedEvent(TappedKind.Given, message.Id, time.GetUtcNow())
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
        Note(queue, id, outcome.Acked ? TappedKind.Done : TappedKind.Ended, outcome.Acked ? outcome.Worker : outcome.Reason);

    public void OnLeaseEnded(QueueName queue, MessageId id, Receipt receipt) => Note(queue, id, TappedKind.Returned, null);

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt) => Note(queue, id, TappedKind.Ended, "cancelled");

    public void OnReady(QueueName queue)
    {
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings)
    {
    }

    public void OnDeleted(QueueName queue)
    {
    }

    private void Note(QueueName queue, MessageId id, TappedKind kind, string? note)
    {
        if (_taps is { } taps && taps.TryGetValue(queue, out var all))
        {
            foreach (var tap in all)
            {
                tap.Note(new TappedEvent(kind, id, time.GetUtcNow()) { Note = note });
            }
        }
    }

    private void Note(QueueName queue, ReadOnlyMemory<byte> body, Func<byte[], TappedEvent> make)
    {
        if (_taps is not { } taps || !taps.TryGetValue(queue, out var all))
        {
            return;
        }

        TappedEvent? tapped = null;
        foreach (var tap in all)
        {
            if (tap.HasRoom)
            {
                tap.Note(tapped ??= make(body[..Math.Min(body.Length, MessageTap.StartBytesMax)].ToArray()));
            }
            else
            {
                tap.CountMissed();
            }
        }
    }
}
