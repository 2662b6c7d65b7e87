using PushQueue.Client.Streaming;
using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.InProcess;

/// <summary>One enumeration that has joined its queues.</summary>
/// <param name="connection">Its inbox.</param>
/// <param name="session">Its life as a connection.</param>
/// <param name="leave">Takes it out of its queues; gets the leases that the program has begun to work on.</param>
internal sealed class InProcessSubscription(
    InProcessConnection connection, ConsumerSession session, Action<IReadOnlyList<LeaseKey>> leave) : IAsyncDisposable
{
    public Inbox Inbox => connection.Inbox;

    public HeldMessages Held => connection.Held;

    public Delivery.Encoding.CloseReason? End => connection.End;

    /// <summary>Where it began, for the next one; null where messages are not broadcast.</summary>
    public string? Cursor { get; init; }

    /// <summary>The first queues of a stream over many.</summary>
    public string[] Queues { get; init; } = [];

    /// <summary>Whether the node stops: nothing more is to be begun.</summary>
    public bool Stops => End?.Name == Delivery.Encoding.CloseReason.ServerShutdown.Name;

    /// <summary>See <see cref="InProcessConnection.WhenSettledAsync"/>.</summary>
    public Task WhenSettledAsync(CancellationToken cancellationToken) => connection.WhenSettledAsync(cancellationToken);

    /// <summary>Messages that the program has begun and not settled count as failed attempts; the rest goes back as it was.</summary>
    public async ValueTask DisposeAsync()
    {
        // An ack that is under way must not find its lease given back.
        await connection.WhenAckedAsync();
        leave(Array.ConvertAll(connection.Held.Started(), KeyOf));
        connection.Leave();
        await session.DisposeAsync();
        connection.Held.EndAll();
    }

    private static LeaseKey KeyOf(Client.LeaseKey key) =>
        new(MessageId.Parse(key.Id), Receipt.TryParse(key.Receipt, out var receipt) ? receipt : default);
}
