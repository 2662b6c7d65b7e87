using System.Text.Json.Serialization;
using PushQueue.Delivery;

namespace PushQueue.Transports.Json;

/// <summary>A consumer as everybody sees it who may listen to its queue.</summary>
internal sealed record PresentConsumerContract
{
    public required long Id { get; init; }

    public required string Transport { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Worker { get; init; }

    /// <summary>The client's own description of itself, unchecked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Who { get; init; }

    public required DateTimeOffset Since { get; init; }

    public static PresentConsumerContract Of(Consumer consumer) => new()
    {
        Id = consumer.Number,
        Transport = consumer.Buffer.Connection.Transport,
        Worker = consumer.Options.Worker,
        Who = consumer.Options.Who is { } who ? new RawJson(who) : null,
        Since = consumer.Since,
    };
}
