namespace PushQueue.Testing;

/// <summary>An expectation of a test did not come true. The message says which, and what was there instead.</summary>
public sealed class PushQueueTestException : Exception
{
    /// <summary>Without a message.</summary>
    public PushQueueTestException()
    {
    }

    /// <summary>With a message.</summary>
    public PushQueueTestException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and its cause.</summary>
    public PushQueueTestException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
