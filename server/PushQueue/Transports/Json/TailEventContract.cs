using System.Text.Json.Serialization;
using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>One event of a queue that is watched.</summary>
internal sealed record TailEventContract
{
    public required string Event { get; init; }

    [JsonConverter(typeof(MessageIdConverter))]
    public required MessageId Id { get; init; }

    public required DateTimeOffset At { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Note { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Start { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Encoding { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Bytes { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ContentType { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Offset { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Priority { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? AvailableAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    public static TailEventContract Of(TailEvent tailEvent)
    {
        var contract = new TailEventContract
        {
            Event = tailEvent.Kind switch
            {
                TailEventKind.Put => "put",
                TailEventKind.HandedOut => "given",
                TailEventKind.Done => "done",
                TailEventKind.Returned => "returned",
                _ => "ended",
            },
            Id = tailEvent.Id,
            At = tailEvent.At,
            Note = tailEvent.Note,
            Offset = tailEvent.Offset,
            Priority = tailEvent.Priority,
            AvailableAt = tailEvent.AvailableAt,
            Key = tailEvent.Key,
            Headers = HeadersOf(tailEvent.Headers),
        };
        if (tailEvent.Start is null)
        {
            return contract;
        }

        var start = BodyStart.Of(tailEvent.Start, tailEvent.BodyBytes);
        return contract with
        {
            Start = start.Text,
            Encoding = start.IsBase64 ? "base64" : null,
            Bytes = tailEvent.BodyBytes,
            ContentType = tailEvent.ContentType,
        };
    }

    private static SortedDictionary<string, string>? HeadersOf(MessageHeaders? headers)
    {
        if (headers is null)
        {
            return null;
        }

        var texts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var header in headers)
        {
            texts.Add(header.NameText, header.ValueText);
        }

        return texts;
    }
}
