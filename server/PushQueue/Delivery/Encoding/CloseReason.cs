namespace PushQueue.Delivery.Encoding;

/// <summary>
/// The reasons for which the server ends a connection or a subscription, one table for all transports: SSE sends an <c>event: close</c>,
/// a stream of lines a last line, SignalR a <c>close</c> message, a WebSocket a close frame with a code of its own.
/// </summary>
/// <param name="Name">The word that programs compare.</param>
/// <param name="Sentence">The sentence for people; at most 120 bytes, so that it fits into a WebSocket close frame.</param>
/// <param name="Reconnect">Whether connecting again makes sense.</param>
internal sealed record CloseReason(string Name, string Sentence, bool Reconnect)
{
    private const int ReconnectMsMin = 500;
    private const int ReconnectMsMaxDefault = 3000;
    private const int ReconnectMsMaxLongest = 60_000;

    // A node takes about this many new streams a second without making those that it has wait.
    private const int ReconnectsPerSecond = 1000;

    private int _reconnectMsMax = ReconnectMsMaxDefault;

    /// <summary>How long this client should wait before it connects again, another time for each client; 0 where it should not.</summary>
    public int NextReconnectMs() => Reconnect ? Random.Shared.Next(ReconnectMsMin, _reconnectMsMax) : 0;

    /// <summary>
    /// The same reason for many connections that are closed together: the more they are, the longer their reconnects are spread.
    /// </summary>
    public CloseReason ForMany(int connections) => this with
    {
        _reconnectMsMax = Math.Clamp((int)(connections * 1000L / ReconnectsPerSecond), ReconnectMsMaxDefault, ReconnectMsMaxLongest),
    };

    public static readonly CloseReason Normal = new("normal", "Closed as asked.", Reconnect: false);

    public static readonly CloseReason ProtocolError = new("protocol-error", "The client broke the WebSocket protocol.", Reconnect: false);

    public static readonly CloseReason BadUtf8 = new("bad-utf8", "A text is not valid UTF-8.", Reconnect: false);

    public static readonly CloseReason FrameTooLarge = new("frame-too-large", "A message exceeds the size limit.", Reconnect: false);

    public static readonly CloseReason ServerError = new("server-error", "The server failed; connect again.", Reconnect: true);

    public static readonly CloseReason ServerShutdown = new("server-shutdown", "The server is stopping; connect again.", Reconnect: true);

    public static readonly CloseReason SlowConsumer = new(
        "slow-consumer", "The client reads too slowly; resume from the cursor.", Reconnect: true);

    public static readonly CloseReason Stalled = new(
        "stalled", "The client accepted no data for too long; resume from the cursor.", Reconnect: true);

    public static readonly CloseReason NoAnswer = new("no-answer", "The client did not answer pings; connect again.", Reconnect: true);

    public static readonly CloseReason QueueDeleted = new("queue-deleted", "The queue was deleted.", Reconnect: false);

    public static readonly CloseReason Replaced = new("replaced", "Another connection took this consumer's place.", Reconnect: false);

    public static readonly CloseReason Disconnected = new("disconnected", "An operator ended this stream.", Reconnect: false);

    /// <summary>Of a queue that does not join a stream over many, because that has as many as it may.</summary>
    public static readonly CloseReason StreamFull = new(
        "stream-full", "The stream has reached its limit of queues; more join when one leaves.", Reconnect: false);

    public static readonly CloseReason AccessEnded = new("access-ended", "The key no longer allows this.", Reconnect: false);
}
