using PushQueue.Queues;

namespace PushQueue;

/// <summary>
/// A limit on what clients can make the server spend. <see cref="All"/> is the one table of them: the option that holds the limit, its
/// range, its name (in <c>--limit</c>, in the settings file and in the counter <c>pushqueue.limits.hit</c>) and its row in
/// docs/SECURITY.md.
/// </summary>
public sealed class PushQueueLimit
{
    private readonly Func<PushQueueOptions, long?> _get;
    private readonly Action<PushQueueOptions, long> _set;

    private PushQueueLimit(
        string name, string option, (long Min, long Max) range, string meaning, Func<PushQueueOptions, long?> get,
        Action<PushQueueOptions, long> set)
    {
        (Name, Option, Min, Max, Meaning, _get, _set) = (name, option, range.Min, range.Max, meaning, get, set);
    }

    /// <summary>All limits that an option sets.</summary>
    public static IReadOnlyList<PushQueueLimit> All { get; } =
    [
        new(
            LimitNames.Queues, "Queues.QueuesMax", (1, long.MaxValue), "429 `too-many-queues`; existing queues continue",
            static options => options.Queues.QueuesMax, static (options, value) => options.Queues.QueuesMax = value),
        new(
            LimitNames.Messages, "Queues.MessagesMax", (1, long.MaxValue), "live messages of all queues: 429 `server-full`",
            static options => options.Queues.MessagesMax, static (options, value) => options.Queues.MessagesMax = value),
        new(
            LimitNames.Bytes, "Queues.BytesMax", (1, long.MaxValue),
            "bodies of all queues: 429 `server-full`; a full disk: 507 `disk-full`",
            static options => options.Queues.BytesMax is var max and < long.MaxValue ? max : null,
            static (options, value) => options.Queues.BytesMax = value),
        new(
            LimitNames.Batch, "Queues.BatchMessagesMax", (1, 10_000_000), "messages in a batch: 413 `batch-too-large`",
            static options => options.Queues.BatchMessagesMax,
            static (options, value) => options.Queues.BatchMessagesMax = Narrow(value)),
        new(
            LimitNames.BatchBytes, "Queues.BatchBytesMax", (1024, 1024 * 1024 * 1024), "bytes of a batch: 413 `batch-too-large`",
            static options => options.Queues.BatchBytesMax, static (options, value) => options.Queues.BatchBytesMax = Narrow(value)),
        new(
            LimitNames.WaitingTakes, "Queues.WaitingTakesMax", (1, 10_000_000), "503 `too-many-waiting`",
            static options => options.Queues.WaitingTakesMax, static (options, value) => options.Queues.WaitingTakesMax = Narrow(value)),
        new(
            LimitNames.WaitingPuts, "Queues.WaitingPutsMax", (1, 10_000_000), "puts that wait for their ack: 503 `too-many-waiting`",
            static options => options.Queues.WaitingPutsMax, static (options, value) => options.Queues.WaitingPutsMax = Narrow(value)),
        new(
            LimitNames.WaitingCommands, "Delivery.WaitingCommandsMax", (1, 1_000_000),
            "waiting commands of one socket: `too-many-waiting`",
            static options => options.Delivery.WaitingCommandsMax,
            static (options, value) => options.Delivery.WaitingCommandsMax = Narrow(value)),
        new(
            LimitNames.Commands, "Delivery.CommandsPerSecondMax", (1, 1_000_000_000),
            "commands a second of one socket: `too-many-requests`",
            static options => options.Delivery.CommandsPerSecondMax,
            static (options, value) => options.Delivery.CommandsPerSecondMax = Narrow(value)),
        new(
            LimitNames.Subscriptions, "Delivery.SubscriptionsPerConnectionMax", (1, 1_000_000),
            "queues of one connection, those of a stream over many included: `too-many-subscriptions`",
            static options => options.Delivery.SubscriptionsPerConnectionMax,
            static (options, value) => options.Delivery.SubscriptionsPerConnectionMax = Narrow(value)),
        new(
            LimitNames.BufferBytes, "Delivery.BufferBytesMax", (4 * 1024, 1024 * 1024 * 1024),
            "bytes that wait for a slow consumer: it is closed, or messages are dropped and a gap is reported; see "
                + "[protocol](protocol.md#streams)",
            static options => options.Delivery.BufferBytesMax, static (options, value) => options.Delivery.BufferBytesMax = Narrow(value)),
        new(
            LimitNames.BuffersBytes, "Delivery.BuffersBytesMax", (1024 * 1024, 1L << 40),
            "memory of all pending output: a page for several connections counts once, and each connection adds its current write. The "
                + "slowest connections are closed (`slow-consumer`); until they have released their memory, puts and new streams get 429 "
                + "`server-full`",
            static options => options.Delivery.BuffersBytesMax, static (options, value) => options.Delivery.BuffersBytesMax = value),
        new(
            LimitNames.FrameBytes, "Delivery.FrameBytesMax", (1024, 1024 * 1024 * 1024),
            "a message of a WebSocket or hub client: closed with 1009",
            static options => options.Delivery.FrameBytesMax, static (options, value) => options.Delivery.FrameBytesMax = Narrow(value)),
        new(
            LimitNames.Watchers, "Diagnostics.WatchersMax", (1, 1_000_000), "streams of the dashboard: `too-many-waiting`",
            static options => options.Diagnostics.WatchersMax, static (options, value) => options.Diagnostics.WatchersMax = Narrow(value)),
        new(
            LimitNames.Connections, "Connections.ConnectionsMax", (1, 10_000_000),
            "429 `too-many-connections`, and the connection is closed; under TLS it is only closed",
            static options => options.Connections.ConnectionsMax,
            static (options, value) => options.Connections.ConnectionsMax = Narrow(value)),
        new(
            LimitNames.ConnectionsPerAddress, "Connections.PerAddressMax", (1, 10_000_000),
            "likewise; not for loopback addresses and `--proxy`",
            static options => options.Connections.PerAddressMax,
            static (options, value) => options.Connections.PerAddressMax = Narrow(value)),
        new(
            LimitNames.StreamsPerConnection, "Connections.StreamsPerConnectionMax", (1, 1_000_000),
            "requests, streams and sockets at once over one connection of HTTP/2; the client waits",
            static options => options.Connections.StreamsPerConnectionMax,
            static (options, value) => options.Connections.StreamsPerConnectionMax = Narrow(value)),
        new(
            LimitNames.HeaderBytes, "Connections.HeaderBytesMax", (1024, 1024 * 1024),
            "headers: 431; a request line of more than 8192 bytes: 414",
            static options => options.Connections.HeaderBytesMax,
            static (options, value) => options.Connections.HeaderBytesMax = Narrow(value)),
        new(
            LimitNames.UploadBytesPerSecond, "Connections.UploadBytesPerSecondMin", (1, 1_000_000),
            "a body that comes more slowly for 5 seconds: 408 `request-timeout`",
            static options => options.Connections.UploadBytesPerSecondMin,
            static (options, value) => options.Connections.UploadBytesPerSecondMin = Narrow(value)),
    ];

    /// <summary>The name, such as <c>waiting-takes</c>.</summary>
    public string Name { get; }

    /// <summary>The property of <see cref="PushQueueOptions"/> that holds it, such as <c>Queues.WaitingTakesMax</c>.</summary>
    public string Option { get; }

    /// <summary>The smallest value.</summary>
    public long Min { get; }

    /// <summary>The largest value.</summary>
    public long Max { get; }

    /// <summary>The resource that it limits, and the answer beyond it; one line of Markdown.</summary>
    public string Meaning { get; }

    /// <summary>The limit that the options set; null if the server derives it from the machine or from another option.</summary>
    /// <param name="options">The options.</param>
    public long? Get(PushQueueOptions options) => _get(options);

    /// <summary>Sets the limit. <see cref="PushQueueOptions.Validate"/> reports a value that is out of range.</summary>
    /// <param name="options">The options.</param>
    /// <param name="value">The value.</param>
    public void Set(PushQueueOptions options, long value) => _set(options, value);

    // A number beyond an int is beyond every range, and the check of the ranges reports it.
    private static int Narrow(long value) => (int)Math.Min(value, int.MaxValue);
}
