using PushQueue.Queues;

namespace PushQueue.Transports.Operations;

/// <summary>The options of a put, however they came: in a query string, in an envelope of a batch, in a command.</summary>
internal struct PutOptions
{
    public const string Names = "id, delay, at, ttl, priority, unique, key, maxAttempts, retryDelay, policy, traceparent";

    public const string NamesOfOne = Names + ", waitForAck";

    private static readonly HashSet<string> All = new(Names.Split(", "), StringComparer.Ordinal);

    private bool _timed;

    public MessageId? Id { get; private set; }

    public DateTimeOffset? AvailableAt { get; private set; }

    public TimeSpan? TimeToLive { get; private set; }

    public int Priority { get; private set; }

    public string? UniqueKey { get; private set; }

    public string? Key { get; private set; }

    /// <summary>Read by the wires: header fields of a request, or a JSON object.</summary>
    public MessageHeaders? Headers { get; set; }

    public int? MaxAttempts { get; private set; }

    public RetryDelay? RetryDelay { get; private set; }

    /// <summary>The policy of a queue that has none yet.</summary>
    public DeliveryPolicy? Policy { get; private set; }

    /// <summary>The W3C trace context that the message belongs to; null where none was given, or none that is valid.</summary>
    public string? TraceParent { get; set; }

    /// <summary>Whether a name is an option of a put.</summary>
    public static bool Has(string name) => All.Contains(name);

    /// <summary>Reads the options of one put.</summary>
    /// <param name="source">The options.</param>
    /// <param name="names">The names that the request takes, for the problem.</param>
    /// <param name="time">For what is relative to now.</param>
    /// <param name="options">The options that were read.</param>
    /// <param name="wait">How long to wait for the end of the message; null for not at all.</param>
    public static Problem? Read<T>(ref T source, string names, TimeProvider time, out PutOptions options, out TimeSpan? wait)
        where T : struct, IOptionSource, allows ref struct
    {
        options = default;
        wait = null;
        while (source.Next(out var name, out var value))
        {
            var problem = name is "waitForAck"
                ? OptionValues.WaitForAck(value, out wait, out var known)
                : options.Set(name, value, time, out known);
            if (!known || problem is not null)
            {
                return problem ?? OptionValues.Unknown(name, names);
            }
        }

        return source.Problem;
    }

    /// <summary>Null when all is well.</summary>
    /// <param name="name">The option.</param>
    /// <param name="value">Its value as text.</param>
    /// <param name="time">For what is relative to now.</param>
    /// <param name="known">False for a name that a put does not have; then nothing happened.</param>
    public Problem? Set(ReadOnlySpan<char> name, string value, TimeProvider time, out bool known)
    {
        known = true;
        switch (name)
        {
            case "id":
                return SetId(value);
            case "delay":
            case "at":
                return SetAvailableAt(name.ToString(), value, time.GetUtcNow());
            case "ttl":
                var ttlProblem = OptionValues.Duration("ttl", value, TimeSpan.FromTicks(1), Duration.Longest, out var ttl);
                TimeToLive = ttl;
                return ttlProblem;
            case "priority":
                var priorityProblem = OptionValues.Integer("priority", value, 0, 9, out var priority);
                Priority = priority;
                return priorityProblem;
            case "unique":
                var uniqueProblem = OptionValues.Text("unique", value, out var unique);
                UniqueKey = unique;
                return uniqueProblem;
            case "key":
                var keyProblem = OptionValues.Text("key", value, out var key);
                Key = key;
                return keyProblem;
            case "maxAttempts":
                var attemptsProblem = OptionValues.Integer("maxAttempts", value, 1, 1000, out var attempts);
                MaxAttempts = attempts;
                return attemptsProblem;
            case "retryDelay":
                var delayProblem = OptionValues.RetryDelay("retryDelay", value, out var retryDelay);
                RetryDelay = retryDelay;
                return delayProblem;
            case "policy":
                var policyProblem = OptionValues.Policy(value, out var policy);
                Policy = policy;
                return policyProblem;
            case "traceparent":
                // The standard asks to ignore one that is not valid, not to refuse what it came with.
                TraceParent = MessageTracing.Accept(value);
                return null;
            default:
                known = false;
                return null;
        }
    }

    public readonly NewMessage ToMessage(ReadOnlyMemory<byte> body, string contentType) => new()
    {
        Body = body,
        ContentType = contentType,
        Id = Id,
        AvailableAt = AvailableAt,
        TimeToLive = TimeToLive,
        Priority = Priority,
        UniqueKey = UniqueKey,
        Key = Key,
        Headers = Headers,
        MaxAttempts = MaxAttempts,
        RetryDelay = RetryDelay,
        Policy = Policy,
        TraceParent = TraceParent,
    };

    /// <summary>For the elements of a batch, which may say when by themselves although the request says it for all.</summary>
    public readonly PutOptions AsDefaults() => this with { _timed = false };

    private Problem? SetId(string value)
    {
        if (!MessageId.TryParse(value, out var id, out var whyNot))
        {
            return new Problem(ProblemType.BadMessageId, whyNot);
        }

        Id = id;
        return null;
    }

    private Problem? SetAvailableAt(string name, string value, DateTimeOffset now)
    {
        if (_timed)
        {
            return Problem.BadOption("Give either 'delay' or 'at', once.");
        }

        _timed = true;
        if (name == "at")
        {
            var problem = OptionValues.Time(name, value, now, out var at);
            AvailableAt = at;
            return problem;
        }

        var delayProblem = OptionValues.Duration(name, value, TimeSpan.Zero, Duration.Longest, out var delay);
        AvailableAt = delay > TimeSpan.Zero ? now + delay : null;
        return delayProblem;
    }
}
