namespace PushQueue.Queues;

/// <summary>
/// The names of the limits: in <c>--limit</c>, in the settings file, and as the tag <c>limit</c> of the counter of refusals.
/// </summary>
internal static class LimitNames
{
    public const string Queues = "queues";
    public const string Messages = "messages";
    public const string Bytes = "bytes";
    public const string Batch = "batch";
    public const string BatchBytes = "batch-bytes";
    public const string WaitingTakes = "waiting-takes";
    public const string WaitingPuts = "waiting-puts";
    public const string WaitingCommands = "waiting-commands";
    public const string Commands = "commands";
    public const string Subscriptions = "subscriptions";
    public const string BufferBytes = "buffer-bytes";
    public const string BuffersBytes = "buffers-bytes";
    public const string FrameBytes = "frame-bytes";
    public const string Watchers = "watchers";
    public const string Connections = "connections";
    public const string ConnectionsPerAddress = "connections-per-address";
    public const string StreamsPerConnection = "streams-per-connection";
    public const string HeaderBytes = "header-bytes";
    public const string UploadBytesPerSecond = "upload-bytes-per-second";

    /// <summary>Only a tag: the limit is <c>--max-message-bytes</c>. A message that is too large is refused in several places.</summary>
    public const string MessageBytes = "message-bytes";

    /// <summary>Only a tag: the limit is a part of an access key.</summary>
    public const string KeyRate = "key-rate";

    /// <summary>Only a tag: the limit is a part of an access key.</summary>
    public const string KeyConnections = "key-connections";
}
