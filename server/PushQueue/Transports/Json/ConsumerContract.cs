using System.Text.Json.Serialization;
using PushQueue.Delivery;

namespace PushQueue.Transports.Json;

/// <summary>A consumer that is connected to a queue.</summary>
internal sealed record ConsumerContract
{
    public required long Id { get; init; }

    public required string Queue { get; init; }

    public required string Transport { get; init; }

    public required string? RemoteAddress { get; init; }

    public required string? Worker { get; init; }

    /// <summary>The client's own description of itself, unchecked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Who { get; init; }

    [Words("auto", "manual")]
    public required string Ack { get; init; }

    public required int Prefetch { get; init; }

    public required int Credit { get; init; }

    public required int InFlight { get; init; }

    public required long Delivered { get; init; }

    public required long Acked { get; init; }

    public required long Failed { get; init; }

    public required long Lag { get; init; }

    public required long WaitingBytes { get; init; }

    public required DateTimeOffset Since { get; init; }

    public static ConsumerContract Of(Consumer consumer)
    {
        var inFlight = consumer.InFlight;
        return new ConsumerContract
        {
            Id = consumer.Number,
            Queue = consumer.Queue.Value,
            Transport = consumer.Buffer.Connection.Transport,
            RemoteAddress = consumer.Buffer.Connection.RemoteAddress,
            Worker = consumer.Options.Worker,
            Who = consumer.Options.Who is { } who ? new RawJson(who) : null,
            Ack = consumer.Options.Ack == AckMode.Manual ? "manual" : "auto",
            Prefetch = consumer.Prefetch,
            Credit = Math.Max(0, consumer.Prefetch - inFlight),
            InFlight = inFlight,
            Delivered = consumer.Delivered,
            Acked = consumer.Acked,
            Failed = consumer.Failed,
            Lag = consumer.Lag,
            WaitingBytes = consumer.Buffer.WaitingBytes,
            Since = consumer.Since,
        };
    }
}
