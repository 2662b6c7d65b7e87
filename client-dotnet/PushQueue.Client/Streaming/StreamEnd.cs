namespace PushQueue.Client.Streaming;

/// <summary>The server's last words: thrown by what reads a stream, caught by what keeps it up.</summary>
internal sealed class StreamEnd(string code, string reason, bool reconnect, TimeSpan? delay) : Exception(reason)
{
    public string Code => code;

    public bool Reconnect => reconnect;

    /// <summary>When the server wants to see this client again; null where it did not say.</summary>
    public TimeSpan? Delay => delay;

    /// <summary>The exception for the program; null for an orderly end.</summary>
    public PushQueueException? Error => code is "normal" or "queue-deleted" ? null : new PushQueueException(code, Message);
}
