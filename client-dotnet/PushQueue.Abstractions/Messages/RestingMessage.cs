namespace PushQueue.Client;

/// <summary>Where a message rests, for one that was looked at and not taken. All times are by the server's clock.</summary>
public sealed record RestingMessage
{
    /// <summary><c>ready</c>, <c>delayed</c>, <c>leased</c> or <c>dead</c>.</summary>
    public string State { get; init; } = "";

    /// <summary>When a delayed message becomes ready.</summary>
    public DateTimeOffset? AvailableAt { get; init; }

    /// <summary>When it is dropped, where it has a time to live.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Its unique key.</summary>
    public string? Unique { get; init; }

    /// <summary>Why its last lease failed.</summary>
    public string? LastError { get; init; }

    /// <summary>The worker that held its last lease.</summary>
    public string? LastWorker { get; init; }

    /// <summary>Where a dead letter came from and why.</summary>
    public DeadLetter? DeadLetter { get; init; }
}

/// <summary>Where a dead letter came from.</summary>
/// <param name="Queue">The queue in which it failed.</param>
/// <param name="Reason">Why it was given up.</param>
/// <param name="Attempts">The number of deliveries.</param>
/// <param name="At">When it was moved, by the server's clock.</param>
public sealed record DeadLetter(string Queue, string Reason, int Attempts, DateTimeOffset? At);
