using PushQueue.Delivery;
using PushQueue.Security;

namespace PushQueue.Transports.SignalR;

/// <summary>A connected client of the hub.</summary>
/// <param name="Buffer">Takes all pages that are pushed to the client.</param>
/// <param name="Forms">The forms of what it is pushed.</param>
/// <param name="Session">
/// Ended with the hub connection; null where the socket outlives it, to write its closing notice, and ends the session itself.
/// </param>
internal sealed record HubClient(OutboundBuffer Buffer, HubForms Forms, ConsumerSession? Session)
{
    private readonly Lock _gate = new();
    private readonly List<OutboundBuffer> _streams = [];
    private Caller? _counted;

    /// <summary>
    /// Completes when groups, users and sends to all reach the client. With a backplane that takes until Redis answers, which neither the
    /// client nor its messages wait for.
    /// </summary>
    public Task Attached { get; set; } = Task.CompletedTask;

    /// <summary>Whether SignalR's own manager was given the connection, so that it needs to know of its end.</summary>
    public bool HasBegunToAttach { get; set; }

    /// <summary>The client, and its rights as they are now.</summary>
    public ConnectionCaller Caller => (ConnectionCaller)Buffer.Connection.Rights;

    /// <summary>
    /// How many queues the connection is subscribed to, those of its streaming calls included. Such a call counts from its beginning.
    /// </summary>
    public int CountSubscriptions()
    {
        var count = Buffer.Consumers.Length;
        lock (_gate)
        {
            foreach (var stream in _streams)
            {
                count += Math.Max(1, stream.Consumers.Length);
            }
        }

        return count;
    }

    /// <summary>Counts a streaming call of <c>Consume</c> in. False if the connection has as many subscriptions as it may.</summary>
    public bool TryOpenStream(OutboundBuffer stream, int subscriptionsMax)
    {
        lock (_gate)
        {
            _streams.Add(stream);
        }

        if (CountSubscriptions() <= subscriptionsMax)
        {
            return true;
        }

        CloseStream(stream);
        return false;
    }

    /// <summary>Counts the connection as one of its key's. False where the key has as many as it may.</summary>
    public bool TryConnect()
    {
        var caller = Caller.Caller;
        if (!caller.TryConnect())
        {
            return false;
        }

        _counted = caller;
        return true;
    }

    /// <summary>Gives back what <see cref="TryConnect"/> counted.</summary>
    public void Disconnect() => Interlocked.Exchange(ref _counted, null)?.Disconnect();

    public void CloseStream(OutboundBuffer stream)
    {
        lock (_gate)
        {
            _ = _streams.Remove(stream);
        }
    }
}
