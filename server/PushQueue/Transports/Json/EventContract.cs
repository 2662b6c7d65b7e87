using System.Text.Json.Serialization;
using PushQueue.Diagnostics;

namespace PushQueue.Transports.Json;

/// <summary>An event that an operator wants to know.</summary>
internal sealed record EventContract
{
    public required long Number { get; init; }

    public required long Version { get; init; }

    [Words("info", "warning", "error")]
    public required string Level { get; init; }

    public required string Code { get; init; }

    public required string Text { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Queue { get; init; }

    public required long Count { get; init; }

    public required DateTimeOffset FirstAt { get; init; }

    public required DateTimeOffset LastAt { get; init; }

    public static EventContract Of(NodeEvent happened) => new()
    {
        Number = happened.Number,
        Version = happened.Version,
        Level = happened.Level switch
        {
            NodeEventLevel.Info => "info",
            NodeEventLevel.Warning => "warning",
            _ => "error",
        },
        Code = happened.Code,
        Text = happened.Text,
        Queue = happened.Queue,
        Count = happened.Count,
        FirstAt = happened.FirstAt,
        LastAt = happened.LastAt,
    };
}
