namespace PushQueue.Queues;

/// <summary>Limits on messages.</summary>
public sealed class QueuesOptions
{
    /// <summary>The largest body of one message, in bytes.</summary>
    public int MessageBytesMax { get; set; } = 1024 * 1024;

    /// <summary>The largest batch that one request may put, in bytes of its body.</summary>
    public int BatchBytesMax { get; set; } = 128 * 1024 * 1024;
}
