namespace PushQueue.Client.Streaming;

/// <summary>
/// Where a stream over many queues is: the last cursor of the server, which may be behind, and the last offset of each queue, so that
/// the program gets no message twice after a reconnect.
/// </summary>
internal sealed class ManyPosition(string? start)
{
    private readonly Dictionary<string, long> _offsets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _epochs = new(StringComparer.Ordinal);
    private string? _cursor;
    private string? _pending;

    /// <summary>The start for the server; null for its own choice.</summary>
    public string? From => _cursor ?? start;

    /// <summary>The cursor of the message that comes, or the last one before it; null before the stream stands.</summary>
    public string? Cursor => _pending ?? _cursor;

    /// <summary>A stream stands, over these queues.</summary>
    public void Begin(string[] queues, string cursor)
    {
        _cursor = cursor;
        _pending = null;
        var there = queues.ToHashSet(StringComparer.Ordinal);
        foreach (var queue in _offsets.Keys.Where(queue => !there.Contains(queue)).ToArray())
        {
            _ = _offsets.Remove(queue);
        }
    }

    public void Learn(string cursor) => _cursor = cursor;

    /// <summary>A cursor that belongs to the event whose end has not come yet.</summary>
    public void Expect(string cursor) => _pending = cursor;

    /// <summary>The end of an event. False where it changes no cursor.</summary>
    public bool TryReach()
    {
        if (_pending is null)
        {
            return false;
        }

        (_cursor, _pending) = (_pending, null);
        return true;
    }

    /// <summary>Goes behind a message. False: it came before.</summary>
    public bool TryMove(Message message)
    {
        if (message.Offset == 0)
        {
            return true;
        }

        if (message.Offset <= _offsets.GetValueOrDefault(message.Queue))
        {
            return false;
        }

        _offsets[message.Queue] = message.Offset;
        message.Epoch = Cursor;
        message.IsOfMany = true;
        return true;
    }

    /// <summary>A queue has joined.</summary>
    public void Join(string queue, string position)
    {
        var epoch = position.Split('.')[0];
        if (_epochs.GetValueOrDefault(queue) != epoch)
        {
            _ = _offsets.Remove(queue);
        }

        _epochs[queue] = epoch;
    }

    /// <summary>A queue has left, or its offsets begin again.</summary>
    public void Forget(string queue) => _ = _offsets.Remove(queue);
}
