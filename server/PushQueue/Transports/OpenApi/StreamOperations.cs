using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>The operations of the tag streams.</summary>
internal static class StreamOperations
{
    /// <summary>The options of a consumer.</summary>
    private static readonly ApiParameter[] Consumer =
    [
        ApiParameters.Format,
        ApiParameters.From,
        ApiParameters.LastEventId,
        ApiParameters.Overflow,
        ApiParameters.Ack,
        ApiParameters.Prefetch,
        ApiParameters.Ttr,
        ApiParameters.StreamWorker,
        ApiParameters.StreamPolicy,
        ApiParameters.Grace,
        ApiParameters.Consumer,
        new(
            "instance",
            "A name that the client makes at random and keeps when it connects again: an earlier stream with that name ends.",
            ApiSchema.Text),
    ];

    public static readonly ApiOperation StreamLines = new("streamLines", "streams", "A stream of messages, a line of JSON each")
    {
        Parameters = Consumer,
        Answers =
        [
            new(200, "Does not end by itself; an empty line every 15 s when idle.")
            {
                MediaTypes = ["application/x-ndjson", "text/event-stream"], Contract = typeof(EnvelopeContract),
            },
        ],
    };

    public static readonly ApiOperation StreamEvents = new("streamEvents", "streams", "A stream of messages as server-sent events")
    {
        Parameters =
        [
            .. Consumer,
            new("Last-Event-ID", "A cursor to go on behind.", ApiSchema.Text) { IsHeader = true },
        ],
        Answers = [ApiAnswer.Of("text/event-stream", ApiSchema.Text, "id: is the cursor, data: the envelope.")],
    };

    public static readonly ApiOperation WatchPresence = new(
        "watchPresence", "streams", "Who is connected to a queue, and each consumer that comes or leaves")
    {
        Answers =
        [
            ApiAnswer.Of("text/event-stream", ApiSchema.Text, "Events: state, joined, left, settings, deleted, heartbeat, close"),
        ],
    };

    public static readonly ApiOperation Socket = new("socket", "streams", "A WebSocket: envelopes of a queue, and commands")
    {
        Parameters = Consumer,
        Answers = [new(101, "The WebSocket is open.")],
    };

    public static readonly ApiOperation SocketOfMany = new("socketOfMany", "streams", "A WebSocket without a subscription, for many")
    {
        Answers = [new(101, "The WebSocket is open.")],
    };
}
