namespace PushQueue.EntityFrameworkCore;

/// <summary>The row that says which forwarder works on a queue's rows.</summary>
internal sealed class OutboxLease
{
    public string Queue { get; init; } = "";

    /// <summary>The forwarder; null where none works on the queue.</summary>
    public string? Owner { get; init; }

    /// <summary>Grows whenever the owner shows that it is alive.</summary>
    public long Beat { get; init; }

    /// <summary>When the owner last did, by its own clock.</summary>
    public DateTimeOffset BeatAt { get; init; }
}
