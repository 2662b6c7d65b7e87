using PushQueue.Client.Streaming;
using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.InProcess;

/// <summary>One enumeration that has joined a queue.</summary>
/// <param name="dispatcher">Where it leaves.</param>
/// <param name="connection">Its inbox.</param>
/// <param name="session">Its life as a connection.</param>
/// <param name="consumer">The consumer.</param>
/// <param name="cursor">Where it began, for the next one; null where messages are not broadcast.</param>
internal sealed class InProcessSubscription(
    Dispatcher dispatcher, InProcessConnection connection, ConsumerSession session, Consumer consumer, string? cursor) : IAsyncDisposable
{
    public Inbox Inbox => connection.Inbox;

    public Delivery.Encoding.CloseReason? End => connection.End;

    public string? Cursor => cursor;

    /// <summary>Messages that the program has begun and not settled count as failed attempts; the rest goes back as it was.</summary>
    public async ValueTask DisposeAsync()
    {
        var started = Array.ConvertAll(connection.Held.Started(), KeyOf);
        dispatcher.Unsubscribe(consumer, started: started);
        connection.Leave();
        await session.DisposeAsync();
        connection.Held.EndAll();
    }

    private static LeaseKey KeyOf(Client.LeaseKey key) =>
        new(MessageId.Parse(key.Id), Receipt.TryParse(key.Receipt, out var receipt) ? receipt : default);
}
