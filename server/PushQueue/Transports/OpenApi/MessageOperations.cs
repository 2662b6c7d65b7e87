using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>The operations of the tag messages.</summary>
internal static class MessageOperations
{
    private static readonly ApiAnswer TakenBody = ApiAnswer.Of("*/*", schema: null, "The unchanged body, with its content type.") with
    {
        Headers =
        [
            new("PushQueue-Id", "", ApiSchema.Text),
            new("PushQueue-Attempt", "", ApiSchema.Number()),
            new("PushQueue-Enqueued-At", "", ApiSchema.Time),
            new("PushQueue-Priority", "", ApiSchema.Number()),
            new("PushQueue-Receipt", "With ttr.", ApiSchema.Text),
            new("PushQueue-Leased-Until", "With ttr.", ApiSchema.Time),
            new("PushQueue-Key", "The key of the message, percent-encoded.", ApiSchema.Text),
            new("PushQueue-Header-NAME", "Each header of the message; in the form of RFC 8187 if it is not printable "
                + "ASCII.", ApiSchema.Text),
            new("traceparent", "", ApiSchema.Text),
        ],
    };

    private static readonly ApiAnswer FoundBody = ApiAnswer.Of("*/*", schema: null, "The unchanged body, with its content type.") with
    {
        Headers =
        [
            new("PushQueue-Id", "", ApiSchema.Text),
            new("PushQueue-Attempt", "", ApiSchema.Number()),
            new("PushQueue-Enqueued-At", "", ApiSchema.Time),
            new("PushQueue-Priority", "", ApiSchema.Number()),
            new("PushQueue-Receipt", "With ttr.", ApiSchema.Text),
            new("PushQueue-Leased-Until", "With ttr.", ApiSchema.Time),
            new("traceparent", "", ApiSchema.Text),
        ],
    };

    public static readonly ApiOperation Put = new("put", "messages", "Puts a message")
    {
        Description = "A form body (application/x-www-form-urlencoded) puts the text of its field value or msg. Each request header "
            + "PushQueue-Header-NAME is a header of the message.",
        Parameters =
        [
            new("id", "The message's id; without one it gets the queue's next number.", ApiSchema.TextOf(0, 255)),
            ApiParameters.Delay,
            ApiParameters.At,
            ApiParameters.Ttl,
            ApiParameters.Priority,
            ApiParameters.MaxAttempts,
            ApiParameters.RetryDelay,
            ApiParameters.Key,
            ApiParameters.NewQueuePolicy,
            new("unique", "Refused while a message with that key waits.", ApiSchema.TextOf(0, 255)),
            new("waitForAck", "Answer when the message has ended, within 0 to 60 s.", ApiSchema.Duration),
            ApiParameters.TraceparentHeader,
            ApiParameters.Traceparent,
        ],
        Body = new ApiBody(["*/*"], Contract: null) { Description = "The message: any bytes of any content type, stored unchanged." },
        Answers =
        [
            ApiAnswer.Json<PutContract>("Stored, with the durability that the answer names.", 201),
            ApiAnswer.Json<PutContract>("The id was known and nothing was stored; or, with waitForAck, the message was acked."),
            ApiAnswer.Json<PutContract>("With waitForAck: stored, and not ended yet.", 202),
        ],
    };

    public static readonly ApiOperation Take = new("take", "messages", "Takes or leases the next message")
    {
        Parameters = [ApiParameters.Wait, ApiParameters.TakeTtr, ApiParameters.Worker],
        Answers = [TakenBody, new(204, "Nothing is ready.")],
    };

    public static readonly ApiOperation PutMany = new("putMany", "messages", "Puts many messages, all or none")
    {
        Description = "Each request header PushQueue-Header-NAME is a header of the message.",
        Parameters =
        [
            ApiParameters.Delay,
            ApiParameters.At,
            ApiParameters.Ttl,
            ApiParameters.Priority,
            ApiParameters.MaxAttempts,
            ApiParameters.RetryDelay,
            ApiParameters.Key,
            ApiParameters.NewQueuePolicy,
            new("envelope", "true: each element is an envelope with body and options.", ApiSchema.Flag),
            ApiParameters.TraceparentHeader,
            ApiParameters.Traceparent,
        ],
        Body = ApiBody.Json<PutEnvelopeContract[]>() with { Description = "A JSON value for each line, or one JSON list.", OrAny = true,
            Lines = "application/x-ndjson" },
        Answers = [ApiAnswer.Json<PutManyContract>(status: 201)],
    };

    public static readonly ApiOperation TakeMany = new("takeMany", "messages", "Takes or leases many messages")
    {
        Parameters =
        [
            new("count", "At most this many.", ApiSchema.Number(min: 1, max: 1_000, byDefault: 100)),
            ApiParameters.Wait,
            ApiParameters.TakeTtr,
            ApiParameters.Worker,
        ],
        Answers = [ApiAnswer.Json<EnvelopeContract[]>()],
    };

    public static readonly ApiOperation Browse = new("browse", "messages", "Reads messages without taking them")
    {
        Parameters =
        [
            new("state", "Which.", ApiSchema.Words("ready", "delayed", "leased", "dead", "history").WithDefault("ready")),
            ApiParameters.After,
            ApiParameters.Limit,
            new("preview", "Instead of body: start, at most this many bytes of it, and bytes, its length.",
                ApiSchema.Number(min: 0, max: 16_384)),
        ],
        Answers = [ApiAnswer.Json<MessagePageContract>()],
    };

    public static readonly ApiOperation Find = new("find", "messages", "Reads one message")
    {
        Answers = [ApiAnswer.Json<MessageContract>()],
    };

    public static readonly ApiOperation Cancel = new("cancel", "messages", "Cancels a message in any state");

    public static readonly ApiOperation FindBody = new("findBody", "messages", "The unchanged body of a message; the message stays")
    {
        Answers = [FoundBody],
    };

    public static readonly ApiOperation Reschedule = new("reschedule", "messages", "Makes a message available at another time")
    {
        Parameters = [ApiParameters.Delay, ApiParameters.At],
    };

    public static readonly ApiOperation Replay = new(
        "replay", "messages", "Returns dead letters to the queue from which they came; the name of the queue ends in .dead")
    {
        Parameters =
        [
            new("id", "One message; without it all messages, or those that match.", ApiSchema.Text),
            new("count", "At most this many.", ApiSchema.Number(min: 1)),
            new("reason", "Only those with this reason or last error.", ApiSchema.Text),
            new("before", "Only those dead-lettered before this time.", ApiSchema.Text),
            new("rate", "At most this many a second.", ApiSchema.Number(min: 1, max: 100_000)),
        ],
        Answers = [ApiAnswer.Json<ReplayedContract>()],
    };
}
