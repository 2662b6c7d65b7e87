using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.SignalR;

/// <summary>A connected client of the hub.</summary>
/// <param name="Buffer">What is pushed to it goes in here.</param>
/// <param name="Envelopes">The form of its messages.</param>
/// <param name="Raw">The form of messages of which it wants the body alone.</param>
/// <param name="EndsItself">Whether the buffer lives on for its last words when the hub is through with the client.</param>
internal sealed record HubClient(OutboundBuffer Buffer, MessageFormat Envelopes, MessageFormat Raw, bool EndsItself)
{
    private int _streams;

    /// <summary>Who it is.</summary>
    public ConnectionCaller Caller => (ConnectionCaller)Buffer.Connection.Rights;

    /// <summary>Counts a streaming call of <c>Consume</c> in: each is a subscription. False where the connection has as many as it may.</summary>
    public bool TryOpenStream(int subscriptionsMax)
    {
        if (Interlocked.Increment(ref _streams) + Buffer.Consumers.Length <= subscriptionsMax)
        {
            return true;
        }

        CloseStream();
        return false;
    }

    public void CloseStream() => Interlocked.Decrement(ref _streams);
}
