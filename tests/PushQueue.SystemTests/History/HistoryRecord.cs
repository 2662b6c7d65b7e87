using PushQueue.SystemTests.History.Judging;

namespace PushQueue.SystemTests.History;

/// <summary>Where all clients of a run note down what they see, in one order.</summary>
internal sealed class HistoryRecord
{
    private readonly Lock _gate = new();
    private readonly List<HistoryEvent> _events = [];
    private int _connections;

    public void Add(HistoryEvent happened)
    {
        lock (_gate)
        {
            _events.Add(happened);
        }
    }

    /// <summary>Notes that a consumer is about to connect; the number of the connection.</summary>
    public int Connect(string queue, string consumer, int server = 0, bool mayOverflow = false)
    {
        lock (_gate)
        {
            _events.Add(new Connecting(queue, consumer, ++_connections, server, mayOverflow));
            return _connections;
        }
    }

    public IReadOnlyList<HistoryEvent> Events()
    {
        lock (_gate)
        {
            return [.. _events];
        }
    }
}
