using System.Text.Json;

namespace PushQueue.SystemTests.History.Links;

/// <summary>One object of a stream: an envelope or an event.</summary>
/// <param name="Json">The object.</param>
/// <param name="Cursor">By which the stream is resumed behind it, where the transport says so by itself.</param>
internal sealed record Received(JsonElement Json, string? Cursor = null)
{
    /// <summary>The event's name; null for a message.</summary>
    public string? Event => Json.TryGetProperty("event", out var name) ? name.GetString() : null;

    public string Id => Json.GetProperty("id").GetString()!;

    public string Queue => Json.GetProperty("queue").GetString()!;

    public long Offset => Json.TryGetProperty("offset", out var offset) ? offset.GetInt64() : 0;

    public int Attempt => Json.TryGetProperty("attempt", out var attempt) ? attempt.GetInt32() : 0;

    public string Receipt => Json.GetProperty("receipt").GetString()!;
}
