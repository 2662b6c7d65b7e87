using System.Text.Json;
using System.Text.Json.Serialization;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>The options of a put as a row keeps them. The id is a column of its own; a delay has become a time.</summary>
internal sealed record StoredOptions
{
    public DateTimeOffset? At { get; init; }

    public TimeSpan? TimeToLive { get; init; }

    public int? Priority { get; init; }

    public string? UniqueKey { get; init; }

    public string? Key { get; init; }

    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    public int? MaxAttempts { get; init; }

    public string? RetryDelay { get; init; }

    public string? Policy { get; init; }

    /// <summary>Null where nothing has to be kept.</summary>
    public static string? Write(PutOptions? options, DateTimeOffset now)
    {
        if (options is null)
        {
            return null;
        }

        var stored = new StoredOptions
        {
            At = options.Delay is { } delay ? now + delay : options.At,
            TimeToLive = options.TimeToLive,
            Priority = options.Priority,
            UniqueKey = options.UniqueKey,
            Key = options.Key,
            Headers = options.Headers,
            MaxAttempts = options.MaxAttempts,
            RetryDelay = options.RetryDelay,
            Policy = options.Policy,
        };
        return stored == new StoredOptions() ? null : JsonSerializer.Serialize(stored, StoredOptionsJson.Default.StoredOptions);
    }

    /// <exception cref="JsonException">The column was changed by another program.</exception>
    public static PutOptions Read(string? json, string messageId)
    {
        var stored = json is null ? null : JsonSerializer.Deserialize(json, StoredOptionsJson.Default.StoredOptions);
        return stored is null ? new PutOptions { Id = messageId } : new PutOptions
        {
            Id = messageId,
            At = stored.At,
            TimeToLive = stored.TimeToLive,
            Priority = stored.Priority,
            UniqueKey = stored.UniqueKey,
            Key = stored.Key,
            Headers = stored.Headers,
            MaxAttempts = stored.MaxAttempts,
            RetryDelay = stored.RetryDelay,
            Policy = stored.Policy,
        };
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredOptions))]
internal sealed partial class StoredOptionsJson : JsonSerializerContext;
