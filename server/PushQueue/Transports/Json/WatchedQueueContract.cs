using System.Text.Json.Serialization;

namespace PushQueue.Transports.Json;

/// <summary>The changes of one watched queue since the last item.</summary>
internal sealed record WatchedQueueContract
{
    public required DateTimeOffset Now { get; init; }

    public required QueueContract? Info { get; init; }

    public required long Dead { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Access { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Rights { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Settings { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Listeners { get; init; }

    /// <summary>Per second: messages put, delivered and acked, and those that wait at its end.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long[][]? History { get; init; }
}
