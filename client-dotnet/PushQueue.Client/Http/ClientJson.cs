using System.Text.Json.Serialization;
using PushQueue.Client.Wire;

namespace PushQueue.Client.Http;

/// <summary>The JSON of requests and answers, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = JsonLimits.DepthMax)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(PutResult))]
[JsonSerializable(typeof(PutManyResult))]
[JsonSerializable(typeof(QueueInfo))]
[JsonSerializable(typeof(QueuePage))]
[JsonSerializable(typeof(KeyPage))]
[JsonSerializable(typeof(QueueSettings))]
[JsonSerializable(typeof(QueueSettingsChange))]
[JsonSerializable(typeof(NodeStats))]
[JsonSerializable(typeof(WorkerList))]
[JsonSerializable(typeof(PresenceInfo))]
[JsonSerializable(typeof(LeaseKey[]))]
[JsonSerializable(typeof(SettleResults))]
[JsonSerializable(typeof(ReplayResult))]
[JsonSerializable(typeof(PurgeResult))]
[JsonSerializable(typeof(StreamEvent))]
[JsonSerializable(typeof(RestingMessage))]
internal sealed partial class ClientJson : JsonSerializerContext;

/// <summary>RFC 9457.</summary>
internal sealed record Problem(string? Type, string? Title, string? Detail);

internal sealed record QueuePage(QueueInfo[] Queues, string? Next);

internal sealed record KeyPage(KeyInfo[] Keys, string? Next);

internal sealed record SettleResults(SettleResult[] Results);

internal sealed record SettleResult(string Id, bool Ok = false, string? Error = null);

internal sealed record ReplayResult(long Replayed);

internal sealed record PurgeResult(long Purged);

/// <summary>An event of a stream, or the answer of a WebSocket to a command.</summary>
internal sealed record StreamEvent
{
    public string? Event { get; init; }

    /// <summary>Of the command that is answered.</summary>
    public string? Ref { get; init; }

    public string? Queue { get; init; }

    public string[]? Queues { get; init; }

    public string? Cursor { get; init; }

    public string? Position { get; init; }

    public string? Id { get; init; }

    public long? From { get; init; }

    public long? To { get; init; }

    public long? Count { get; init; }

    public string? Cause { get; init; }

    public string? Token { get; init; }

    public string? Place { get; init; }

    public string? Code { get; init; }

    public string? Reason { get; init; }

    public bool Reconnect { get; init; }

    public int ReconnectMs { get; init; }

    public bool Ok { get; init; }

    public string? Error { get; init; }

    public string? Detail { get; init; }
}
