namespace PushQueue.Transports.Json;

/// <summary>Where a dead letter comes from.</summary>
/// <remarks>For the document of the API; <c>MessageJson</c> and <c>PutJson</c> write it by hand.</remarks>
internal sealed record DeadLetterContract
{
    public required string Queue { get; init; }

    public required string Reason { get; init; }

    public required int Attempts { get; init; }

    public required DateTimeOffset At { get; init; }
}
