namespace PushQueue.Client;

/// <summary>How messages are pushed to this program.</summary>
public record ConsumeOptions
{
    /// <summary>The transport over HTTP. Default <see cref="ConsumeTransport.WebSocket"/>, the fastest. Unused in
    /// process.</summary>
    public ConsumeTransport Transport { get; init; }

    /// <summary>When a message is done with. Default <see cref="AckMode.Auto"/>.</summary>
    public AckMode Ack { get; init; }

    /// <summary>
    /// How many messages may be under way to this program or held by it, under roundrobin; 1 to 10,000. Null for the server's default: 128,
    /// with
    /// <see cref="AckMode.Manual"/> 1. A larger number saves a round trip a message; what waits here waits although another consumer may be
    /// idle.
    /// </summary>
    public int? Prefetch { get; init; }

    /// <summary>With <see cref="AckMode.Manual"/>: a lease ends after this, 100 ms to 24 h. Null: it lives as long as the
    /// connection.</summary>
    public TimeSpan? TimeToRun { get; init; }

    /// <summary>
    /// With <see cref="AckMode.Manual"/>: how long the server keeps what this program holds when the connection drops, at most 10 minutes;
    /// the program goes on with the same leases when it is back in time. Zero: the messages go to others at once. Default 10 s. Unused in
    /// process, where there is no connection that could drop, and by streams over many queues.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Where to begin under broadcast: <c>latest</c>, <c>earliest</c>, a <see cref="Message.Cursor"/> (behind it), an offset (from it on),
    /// <c>-N</c> (N messages back) or <c>latest-per-key</c> (the newest message of each key, where the queue's settings keep them). Null
    /// for <c>latest</c>.
    /// </summary>
    public string? From { get; init; }

    /// <summary>Conditions on the headers of a message, of which all must hold: <c>tenant=7</c>, <c>tenant=7|8</c> or <c>tenant</c>. Other
    /// messages do not come, and make no gap. Null for all messages.</summary>
    public IReadOnlyList<string>? Where { get; init; }

    /// <summary>The rule for a program that reads too slowly under broadcast: <c>disconnect</c> (the client resumes by itself and
    /// nothing is missed), <c>drop-oldest</c> or <c>latest</c> (both tell a gap). Null for <c>disconnect</c>.</summary>
    public string? Overflow { get; init; }

    /// <summary>
    /// <c>broadcast</c> or <c>roundrobin</c>: the policy of the queue where it has none yet. A queue that has the other one is refused with
    /// <see cref="ProblemTypes.WrongPolicy"/>. Null: <c>roundrobin</c> with <see cref="AckMode.Manual"/>, without a refusal.
    /// </summary>
    public string? Policy { get; init; }

    /// <summary>Whether a server that cannot be reached at first is waited for, as it is later: without an end, by the waits of
    /// <c>PushQueueClientOptions.Reconnect</c>. Default false: a few tries, and then the enumeration throws.</summary>
    public bool WaitForServer { get; init; }

    /// <summary>
    /// A JSON object of at most 1024 bytes that describes this program to others, such as <c>{"name":"ann"}</c>; presence and lists of
    /// consumers show it. Null for none.
    /// </summary>
    public string? Who { get; init; }

    /// <summary>This program's name, for its counters; with <see cref="AckMode.Manual"/>.</summary>
    public string? Worker { get; init; }
}

/// <summary>The transports of pushed messages.</summary>
public enum ConsumeTransport
{
    /// <summary><c>/ws</c>.</summary>
    WebSocket,

    /// <summary><c>/hub</c>, over a WebSocket without negotiation, or over a hub connection of the program's own.</summary>
    SignalR,

    /// <summary><c>/sse/{queue}</c>: plain HTTP, for networks that let no WebSocket through.</summary>
    ServerSentEvents,

    /// <summary><c>/c/{queue}</c>: plain HTTP, a line for each message.</summary>
    Lines,
}

/// <summary>When a message is done with.</summary>
public enum AckMode
{
    /// <summary>Once it is written to the connection: what was under way when a connection breaks is lost under roundrobin. Under broadcast
    /// it is still in history, and the client resumes.</summary>
    Auto,

    /// <summary>Under roundrobin: when this program acks it. Nothing is lost; after a break a message may come a second time.</summary>
    Manual,
}
