namespace PushQueue.Client;

/// <summary>
/// Stands around handlers: logs, validates, measures. Filters that are added first are outermost. A filter that does not call the next step
/// ends the attempt; to return without it is to acknowledge the message.
/// </summary>
public interface IMessageFilter
{
    /// <summary>Does something around the rest of the work.</summary>
    /// <param name="context">The message.</param>
    /// <param name="next">The filters that were added later, and the handler.</param>
    Task InvokeAsync(MessageContext context, MessageDelegate next);
}
