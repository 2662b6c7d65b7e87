namespace PushQueue.Client.Streaming;

/// <summary>The server ended the stream: thrown by the reader of a stream, caught by the code that reconnects.</summary>
internal sealed class StreamEnd(string code, string reason, bool reconnect, TimeSpan? delay) : Exception(reason)
{
    public string Code => code;

    public bool Reconnect => reconnect;

    /// <summary>When the server wants to see this client again; null where it did not say.</summary>
    public TimeSpan? Delay => delay;

    /// <summary>The exception for the program; null for an orderly end.</summary>
    public PushQueueException? Error => code is "normal" or "queue-deleted" ? null : new PushQueueException(code, Message);
}
