using System.ComponentModel;

namespace PushQueue.Transports.Json;

/// <summary>Some of the messages of a queue.</summary>
/// <remarks>For the document of the API; <c>MessageJson</c> and <c>PutJson</c> write it by hand.</remarks>
internal sealed record MessagePageContract
{
    public required string Queue { get; init; }

    public required IReadOnlyList<MessageContract> Messages { get; init; }

    [Description("Value of the option after for the next page.")]
    public required string? Next { get; init; }

    [Description("How many messages the queue has in each state.")]
    public required MessageCountsContract Counts { get; init; }
}

/// <summary>How many messages a queue has in each state; those of a dead-letter queue are ready.</summary>
internal sealed record MessageCountsContract(long Ready, long Delayed, long Leased, long History);
