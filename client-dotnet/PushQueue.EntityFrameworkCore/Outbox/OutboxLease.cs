namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// The row that says which forwarder works on a queue's rows. Programs need not touch it; it is public because the generated code of a
/// compiled model names it.
/// </summary>
public sealed class OutboxLease
{
    /// <summary>The queue; the key of the row.</summary>
    public string Queue { get; internal init; } = "";

    /// <summary>The forwarder; null where none works on the queue.</summary>
    public string? Owner { get; internal init; }

    /// <summary>Grows whenever the owner shows that it is alive.</summary>
    public long Beat { get; internal init; }

    /// <summary>When the owner last did, by its own clock, to the millisecond.</summary>
    public DateTimeOffset BeatAt { get; internal init; }
}
