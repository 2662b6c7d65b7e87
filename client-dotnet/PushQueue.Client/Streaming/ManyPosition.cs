namespace PushQueue.Client.Streaming;

/// <summary>
/// Where a stream over many queues is: the last cursor of the server, which may be behind, and the last offset of each queue, so that
/// nothing is given out twice after a reconnect.
/// </summary>
internal sealed class ManyPosition(string? start)
{
    private readonly Dictionary<string, long> _offsets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _epochs = new(StringComparer.Ordinal);
    private string? _pending;

    /// <summary>The start for the server; null for its own choice.</summary>
    public string? From { get; private set; } = start;

    /// <summary>A stream stands, over these queues.</summary>
    public void Begin(string[] queues, string cursor)
    {
        From = cursor;
        var there = queues.ToHashSet(StringComparer.Ordinal);
        foreach (var queue in _offsets.Keys.Where(queue => !there.Contains(queue)).ToArray())
        {
            _ = _offsets.Remove(queue);
        }
    }

    public void Learn(string cursor) => From = cursor;

    /// <summary>A cursor that belongs to the event whose end has not come yet.</summary>
    public void Expect(string cursor) => _pending = cursor;

    /// <summary>The end of an event.</summary>
    public void Reach()
    {
        From = _pending ?? From;
        _pending = null;
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
