namespace PushQueue.Transports.Json;

/// <summary>A policy to set.</summary>
internal sealed record PolicyFieldContract
{
    [Words("broadcast", "roundrobin")]
    public required string Policy { get; init; }
}
