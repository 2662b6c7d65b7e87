namespace PushQueue.Transports.Json;

/// <summary>A status to set.</summary>
internal sealed record StatusFieldContract
{
    [Words("start", "stop", "started", "stopped")]
    public required string Status { get; init; }
}
