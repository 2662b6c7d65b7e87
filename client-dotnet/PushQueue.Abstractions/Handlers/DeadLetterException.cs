namespace PushQueue.Client;

/// <summary>Thrown by a handler: no attempt can do the work, so the message goes to the dead-letter queue at once.</summary>
public sealed class DeadLetterException : Exception
{
    /// <summary>The message cannot be handled.</summary>
    /// <param name="reason">Kept with the message as its last error.</param>
    /// <param name="innerException">The cause.</param>
    public DeadLetterException(string reason, Exception? innerException = null)
        : base(reason, innerException)
    {
    }
}
