using System.Text.Json;

namespace PushQueue.Client;

/// <summary>A consumer that is connected to the node that answered.</summary>
public sealed record ConsumerInfo
{
    /// <summary>Its number, for disconnecting it.</summary>
    public long Id { get; init; }

    /// <summary>The queue.</summary>
    public string Queue { get; init; } = "";

    /// <summary><c>websocket</c>, <c>sse</c>, <c>comet</c> (lines over plain HTTP), <c>signalr</c> or <c>in-process</c>.</summary>
    public string Transport { get; init; } = "";

    /// <summary>Where it comes from.</summary>
    public string? RemoteAddress { get; init; }

    /// <summary>The worker's name.</summary>
    public string? Worker { get; init; }

    /// <summary>The client's own description of itself, unchecked; null without one.</summary>
    public JsonElement? Who { get; init; }

    /// <summary><c>auto</c> or <c>manual</c>.</summary>
    public string Ack { get; init; } = "";

    /// <summary>How many messages it may hold.</summary>
    public int Prefetch { get; init; }

    /// <summary>How many more it may get now.</summary>
    public int Credit { get; init; }

    /// <summary>Messages that it holds.</summary>
    public int InFlight { get; init; }

    /// <summary>Messages that it got.</summary>
    public long Delivered { get; init; }

    /// <summary>Messages that it acked.</summary>
    public long Acked { get; init; }

    /// <summary>Leases of its that failed.</summary>
    public long Failed { get; init; }

    /// <summary>How many broadcast messages it is behind.</summary>
    public long Lag { get; init; }

    /// <summary>Bytes that wait to be written to it.</summary>
    public long WaitingBytes { get; init; }

    /// <summary>When it came, by the server's clock.</summary>
    public DateTimeOffset? Since { get; init; }
}

/// <summary>A worker that gave its name.</summary>
public sealed record WorkerInfo
{
    /// <summary>Its name.</summary>
    public string Worker { get; init; } = "";

    /// <summary>The queues at which it was seen.</summary>
    public IReadOnlyList<string> Queues { get; init; } = [];

    /// <summary>Messages acked.</summary>
    public long Processed { get; init; }

    /// <summary>Leases that failed.</summary>
    public long Failed { get; init; }

    /// <summary>When it was first seen, by the server's clock.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>When it was last seen.</summary>
    public DateTimeOffset? LastSeen { get; init; }
}

/// <summary>The node's workers and consumers.</summary>
public sealed record WorkerList
{
    /// <summary>Those that gave their name.</summary>
    public IReadOnlyList<WorkerInfo> Workers { get; init; } = [];

    /// <summary>All streams of the node.</summary>
    public IReadOnlyList<ConsumerInfo> Consumers { get; init; } = [];
}
