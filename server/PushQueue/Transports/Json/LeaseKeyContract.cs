using System.ComponentModel.DataAnnotations;

namespace PushQueue.Transports.Json;

/// <summary>A lease to settle.</summary>
internal sealed record LeaseKeyContract
{
    public required string Id { get; init; }

    [RegularExpression("^[0-9a-fA-F]{16}$")]
    public required string Receipt { get; init; }
}
