namespace PushQueue.Client;

/// <summary>A key of a queue that has live messages.</summary>
public sealed record KeyInfo
{
    /// <summary>The key.</summary>
    public string Key { get; init; } = "";

    /// <summary>Messages that are ready, those included that wait for others of the key.</summary>
    public long Ready { get; init; }

    /// <summary>Messages that are delayed, or wait to be tried again.</summary>
    public long Delayed { get; init; }

    /// <summary>Messages that a worker holds.</summary>
    public long InFlight { get; init; }

    /// <summary>Whether the ready messages wait for others of the key.</summary>
    public bool Blocked { get; init; }

    /// <summary>The time since the put of the first ready message; null if no message is ready.</summary>
    public double? OldestAgeSeconds { get; init; }
}
