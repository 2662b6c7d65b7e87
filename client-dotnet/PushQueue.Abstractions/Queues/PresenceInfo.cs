using System.Text.Json;

namespace PushQueue.Client;

/// <summary>The consumers of a queue, at all nodes.</summary>
public sealed record PresenceInfo
{
    /// <summary>The queue.</summary>
    public string Queue { get; init; } = "";

    /// <summary>The number of consumers; at most 1,000 are listed.</summary>
    public int Count { get; init; }

    /// <summary>The consumers, in the order in which they came to their node.</summary>
    public IReadOnlyList<PresentConsumer> Consumers { get; init; } = [];
}

/// <summary>A consumer as everybody sees it who may listen to its queue.</summary>
public sealed record PresentConsumer
{
    /// <summary>Its number.</summary>
    public long Id { get; init; }

    /// <summary><c>websocket</c>, <c>sse</c>, <c>comet</c> (lines over plain HTTP), <c>signalr</c> or <c>in-process</c>.</summary>
    public string Transport { get; init; } = "";

    /// <summary>The worker's name; null where it gave none.</summary>
    public string? Worker { get; init; }

    /// <summary>The client's own description of itself, unchecked; null without one.</summary>
    public JsonElement? Who { get; init; }

    /// <summary>When it came, by the server's clock.</summary>
    public DateTimeOffset? Since { get; init; }
}
