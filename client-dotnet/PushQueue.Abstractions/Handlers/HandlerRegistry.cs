namespace PushQueue.Client.Handlers;

/// <summary>The handlers of a host, until it starts. Its lock is a leaf.</summary>
internal sealed class HandlerRegistry
{
    private readonly Lock _gate = new();
    private readonly List<MappedHandler> _handlers;
    private bool _isClosed;

    public HandlerRegistry(IEnumerable<MappedHandler> handlers)
    {
        _handlers = [];
        foreach (var handler in handlers)
        {
            Add(handler);
        }
    }

    /// <exception cref="InvalidOperationException">The host runs already, or the queue has a handler.</exception>
    public void Add(MappedHandler handler)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                throw new InvalidOperationException($"The handler of '{handler.Queue}' comes too late: map it before the host starts.");
            }

            if (_handlers.Exists(handler.Competes))
            {
                throw new InvalidOperationException(
                    $"The queue '{handler.Queue}' has two handlers, and each would get a part of its messages. Remove one of them, or give "
                        + "both a filter (Consume.Where).");
            }

            _handlers.Add(handler);
        }
    }

    public IReadOnlyList<MappedHandler> Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            return _handlers;
        }
    }
}
