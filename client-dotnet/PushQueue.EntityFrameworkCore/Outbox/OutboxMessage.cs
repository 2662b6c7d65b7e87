namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// A row of the outbox: a message that the application has committed and the forwarder has not put yet, or that the server refused.
/// <c>PutLater</c> makes it. A row whose message is in the queue is deleted.
/// </summary>
public sealed class OutboxMessage
{
    private OutboxMessage()
    {
    }

    /// <summary>The key of the row.</summary>
    public Guid Id { get; internal init; }

    /// <summary>The order within the queue: rows of one transaction in the order of their <c>PutLater</c>, after all rows that were
    /// committed before it began. It grows with the time; it is not dense.</summary>
    public long Number { get; internal set; }

    /// <summary>The queue.</summary>
    public string Queue { get; internal init; } = "";

    /// <summary>The id of the message in the queue.</summary>
    public string MessageId { get; internal init; } = "";

    /// <summary>The content type of the body.</summary>
    public string ContentType { get; internal init; } = "";

    /// <summary>The body.</summary>
    public byte[] Body { get; internal init; } = [];

    /// <summary>The options of the put as JSON; null for none.</summary>
    public string? Options { get; internal init; }

    /// <summary>When <c>PutLater</c> was called, by the application's clock, to the millisecond.</summary>
    public DateTimeOffset PutAt { get; internal init; }

    /// <summary>Whether the server refused the message for good. The forwarder passes over such a row.</summary>
    public bool IsSetAside { get; internal set; }

    /// <summary>The server's reason; null where it did not refuse the message.</summary>
    public string? Reason { get; internal set; }

    internal static OutboxMessage Of(
        string queue, string messageId, string contentType, byte[] body, string? options, DateTimeOffset putAt) =>
        new()
        {
            Id = Guid.CreateVersion7(putAt),
            Number = OutboxClock.Shared.Next(putAt, after: 0),
            Queue = queue,
            MessageId = messageId,
            ContentType = contentType,
            Body = body,
            Options = options,
            PutAt = putAt,
        };
}
