namespace PushQueue.EntityFrameworkCore;

/// <summary>A row of the inbox: a message whose work is done.</summary>
public sealed class InboxMessage
{
    /// <summary>The queue.</summary>
    public string Queue { get; internal init; } = "";

    /// <summary>The id of the message.</summary>
    public string MessageId { get; internal init; } = "";

    /// <summary>When its work began, by the application's clock, to the millisecond.</summary>
    public DateTimeOffset HandledAt { get; internal init; }
}
