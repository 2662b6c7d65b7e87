using PushQueue.Delivery.Encoding;

namespace PushQueue.Delivery;

/// <summary>
/// One connection to a client, as delivery sees it; one implementation per transport. Only its <see cref="OutboundBuffer"/> writes to
/// it, and never while another write is pending.
/// </summary>
internal interface IConsumerConnection
{
    /// <summary>For people: <c>comet</c>, <c>sse</c>, <c>websocket</c>, <c>signalr</c>.</summary>
    string Transport { get; }

    string? RemoteAddress { get; }

    /// <summary>
    /// Whether the consumer is the program that hosts the queue. Such a consumer ends its work when the node stops, before the queue does.
    /// </summary>
    bool IsInProcess => false;

    /// <summary>The format of what concerns the connection itself: heartbeats and the closing notice.</summary>
    MessageFormat ControlFormat { get; }

    /// <summary>Whether the connection outlives its subscriptions.</summary>
    bool Multiplexed { get; }

    /// <summary>
    /// The second (of the <see cref="CoarseClock"/>) in which the client last said anything; null where a transport cannot tell. Where it
    /// can, heartbeats ask for an answer, and a client that gives none is cut.
    /// </summary>
    int? LastHeardAt { get; }

    /// <summary>The rights of its client.</summary>
    IConsumerRights Rights { get; }

    /// <summary>Writes and flushes. Completes at once where the connection has room; any exception means that it is gone.</summary>
    ValueTask WriteAsync(EncodedPage page);

    /// <summary>Writes several pages and flushes once.</summary>
    ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages);

    /// <summary>The closing notice is written: end in the transport's orderly way. Never blocks, never throws.</summary>
    void Complete(CloseReason reason);

    /// <summary>End at once, whatever is pending; a pending write fails soon. Never blocks, never throws, may be called twice.</summary>
    void Abort(CloseReason reason);

    /// <summary>About once a second, for a transport that keeps time of its own. Must not block.</summary>
    void OnTick()
    {
    }
}
