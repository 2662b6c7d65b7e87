namespace PushQueue.Transports.OpenApi;

/// <summary>Parameters that several operations have.</summary>
internal static class ApiParameters
{
    public static readonly ApiParameter Receipt = new("receipt", "The lease's receipt.", ApiSchema.Receipt) { Required = true };

    public static readonly ApiParameter Delay = new("delay", "Available after this; either delay or at.", ApiSchema.Duration);

    public static readonly ApiParameter At = new("at", "Available from this time: ISO 8601, or seconds since 1970.", ApiSchema.Text);

    public static readonly ApiParameter Ttl = new(
        "ttl", "Dropped if no consumer takes it within this time after it became available.", ApiSchema.Duration);

    public static readonly ApiParameter Priority = new("priority", "Higher goes first.", ApiSchema.Number(min: 0, max: 9, byDefault: 0));

    public static readonly ApiParameter MaxAttempts = new(
        "maxAttempts", "Leases before it is dead-lettered.", ApiSchema.Number(min: 1, max: 1_000));

    public static readonly ApiParameter NewQueuePolicy = new(
        "policy", "The policy of a queue that has none yet: one that does not exist, or whose policy was never set and that has broadcast "
            + "nothing.", ApiSchema.Words("broadcast", "roundrobin"));

    public static readonly ApiParameter StreamPolicy = new(
        "policy", "The policy of a queue that has none yet; a queue with the other policy is refused. With ack=manual the default is "
            + "roundrobin.", ApiSchema.Words("broadcast", "roundrobin"));

    public static readonly ApiParameter RetryDelay = new(
        "retryDelay", "The wait after a failed attempt: a duration, or exponential:MIN..MAX.", ApiSchema.Text);

    public static readonly ApiParameter Wait = new("wait", "Hold the request until a message comes, at most 60s.", ApiSchema.Duration);

    public static readonly ApiParameter TakeTtr = new("ttr", "Lease the message for this long instead of taking it.", ApiSchema.Duration);

    public static readonly ApiParameter TouchTtr = new("ttr", "From now; default from the settings.", ApiSchema.Duration);

    public static readonly ApiParameter Worker = new("worker", "The worker's name, for its counters.", ApiSchema.Text);

    public static readonly ApiParameter Backoff = new(
        "backoff", "The wait after a failed attempt if neither the message nor the queue has a retryDelay: a duration, or "
            + "exponential:MIN..MAX.", ApiSchema.Text);

    public static readonly ApiParameter ReleaseDelay = new("delay", "Ready again after this.", ApiSchema.Duration);

    public static readonly ApiParameter Error = new("error", "Why it failed; the first 1000 characters are kept.", ApiSchema.Text);

    public static readonly ApiParameter After = new("after", "The field next of the former page.", ApiSchema.Text);

    public static readonly ApiParameter Limit = new("limit", "At most this many.", ApiSchema.Number(min: 1, max: 1_000, byDefault: 100));

    public static readonly ApiParameter Unstarted = new(
        "unstarted", "true: the work was not begun, so the attempt does not count; not together with error.", ApiSchema.Flag);

    public static readonly ApiParameter DeadLetter = new(
        "deadLetter", "true: another attempt is pointless, so the message is dead-lettered now; not together with delay, backoff or "
            + "unstarted.", ApiSchema.Flag);

    public static readonly ApiParameter Key = new("key", "The key of the message: 1 to 255 bytes of UTF-8.", ApiSchema.TextOf(1, 255));

    public static readonly ApiParameter TraceparentHeader = new(
        "traceparent", "W3C trace context; stored with the message and delivered with it.", ApiSchema.Text) { IsHeader = true };

    public static readonly ApiParameter Traceparent = new("traceparent", "W3C trace context, as the header of that name.", ApiSchema.Text);

    public static readonly ApiParameter WorkerOption = new("worker", "The worker's name.", ApiSchema.Text) { Required = true };

    public static readonly ApiParameter Format = new(
        "format", "The form in which messages are sent.", ApiSchema.Words("envelope", "raw").WithDefault("envelope"));

    public static readonly ApiParameter From = new(
        "from", "Where to begin under broadcast: latest, earliest, a cursor or an offset.", ApiSchema.Text);

    public static readonly ApiParameter LastEventId = new("lastEventId", "A cursor after which to continue; wins over "
        + "from.", ApiSchema.Text);

    public static readonly ApiParameter Overflow = new(
        "overflow", "What happens to a consumer that reads too slowly under broadcast.",
            ApiSchema.Words("disconnect", "drop-oldest", "latest").WithDefault("disconnect"));

    public static readonly ApiParameter Ack = new(
        "ack",
        "Under roundrobin: a message is done once it is written (auto), or leased until it is acked (manual).",
        ApiSchema.Words("auto", "manual").WithDefault("auto"));

    public static readonly ApiParameter Prefetch = new(
        "prefetch", "Messages in flight under roundrobin.", ApiSchema.Number(min: 1, max: 10_000));

    public static readonly ApiParameter Ttr = new("ttr", "How long a lease lasts under ack=manual.", ApiSchema.Duration);

    public static readonly ApiParameter StreamWorker = new("worker", "The worker's name.", ApiSchema.Text);

    public static readonly ApiParameter Grace = new(
        "grace", "How long the consumer's messages are kept when its connection drops; ack=manual.", ApiSchema.Duration);

    public static readonly ApiParameter Consumer = new("consumer", "The token of a stream whose place this stream takes.", ApiSchema.Text);
}
