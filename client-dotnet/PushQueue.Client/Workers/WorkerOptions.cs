namespace PushQueue.Client;

/// <summary>How a worker works.</summary>
public sealed record WorkerOptions
{
    /// <summary>How many messages are worked on at once. Default 1.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>How many messages it may hold, at least <see cref="Concurrency"/>. More spares short jobs the wait for the next one; what
    /// was not begun when the worker stops goes back, which does not count as a failed attempt. Null: as many as are worked on at
    /// once.</summary>
    public int? Prefetch { get; init; }

    /// <summary>The worker's name, as the server lists it. Null for the machine's name and the process.</summary>
    public string? Name { get; init; }

    /// <summary>The length of a lease, which is extended while the work goes on. Null: a lease lives as long as the connection, which is
    /// enough unless a worker that hangs should lose its message.</summary>
    public TimeSpan? TimeToRun { get; init; }

    /// <summary>The wait before a failed message is given out again. Null: the <c>retryDelay</c> of the message or of the queue; where both
    /// have none, one second after the first attempt, doubling up to a minute.</summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>When the worker is to stop: how long work that has begun may take to end. Then it is cancelled and given back. Default 30
    /// s.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How messages come: transport, grace time. The options above win.</summary>
    public ConsumeOptions Consume { get; init; } = new();
}
