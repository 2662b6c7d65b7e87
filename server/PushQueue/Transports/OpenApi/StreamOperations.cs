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
            "A random name that the client keeps when it connects again: an earlier stream with that name ends.",
            ApiSchema.Text),
    ];

    /// <summary>Which queues a stream over many has.</summary>
    private static readonly ApiParameter[] Selection =
    [
        new("queue", "A queue; repeat it for each, up to 100.", ApiSchema.Texts(maxItems: 100)),
        new(
            "match",
            "A pattern of names in which * stands for any characters; up to 1,000 queues may match.",
            ApiSchema.Texts(maxItems: 20)),
    ];

    /// <summary>The options of a consumer of many queues, which has no place that is kept for it.</summary>
    private static readonly ApiParameter[] ConsumerOfMany =
    [
        .. Selection,
        ApiParameters.Format,
        ApiParameters.From with
        {
            Description = "Where to begin under broadcast: latest, earliest, or the cursor of a stream over the same queues.",
        },
        ApiParameters.LastEventId,
        ApiParameters.Overflow,
        ApiParameters.Ack,
        ApiParameters.Prefetch with { Description = "Messages in flight under roundrobin, over all queues together." },
        ApiParameters.Ttr,
        ApiParameters.StreamWorker,
        ApiParameters.StreamPolicy,
    ];

    private static readonly ApiParameter LastEventIdHeader =
        new("Last-Event-ID", "A cursor after which to continue.", ApiSchema.Text) { IsHeader = true };

    public static readonly ApiOperation StreamLines = new("streamLines", "streams", "A stream of messages, a line of JSON each")
    {
        Parameters = Consumer,
        Answers =
        [
            new(200, "An endless stream; an empty line every 15 s when idle.")
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
            LastEventIdHeader,
        ],
        Answers = [ApiAnswer.Of("text/event-stream", ApiSchema.Text, "id: is the cursor, data: the envelope.")],
    };

    public static readonly ApiOperation StreamLinesOfMany = new(
        "streamLinesOfMany", "streams", "One stream of the messages of many queues, a line of JSON each")
    {
        Parameters = ConsumerOfMany,
        Answers = StreamLines.Answers,
    };

    public static readonly ApiOperation StreamEventsOfMany = new(
        "streamEventsOfMany", "streams", "One stream of the messages of many queues, as server-sent events")
    {
        Parameters = [.. ConsumerOfMany, LastEventIdHeader],
        Answers = StreamEvents.Answers,
    };

    public static readonly ApiOperation WatchPresence = new(
        "watchPresence", "streams", "The consumers of a queue, and each consumer that joins or leaves")
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

    public static readonly ApiOperation SocketOfMany = new(
        "socketOfMany", "streams", "A WebSocket for many queues: with queue and match a stream over them, else without a subscription")
    {
        Parameters = Selection,
        Answers = [new(101, "The WebSocket is open.")],
    };
}
