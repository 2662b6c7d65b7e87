namespace PushQueue.Queues;

/// <summary>
/// The queue cannot start: wrong options, or a store that cannot be opened. The message is for the operator, without a trace.
/// </summary>
public sealed class PushQueueStartException : Exception
{
    /// <summary>Makes an exception with what to tell the operator.</summary>
    public PushQueueStartException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
