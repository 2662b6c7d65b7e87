using System.Text;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.Dialects.Presque;

/// <summary>Jobs as messages and back: JSON, byte for byte.</summary>
internal static class PresqueMessageFormat
{
    public static NewMessage ToMessage(ReadOnlyMemory<byte> json, DateTimeOffset? delayed, string? uniqueKey = null) => new()
    {
        Body = json,
        ContentType = ContentTypes.Json,
        AvailableAt = delayed,
        UniqueKey = uniqueKey,
    };

    /// <summary>The body as it was put; what another API put as bytes that are no text becomes a JSON string in base64.</summary>
    public static ReadOnlyMemory<byte> ToJob(Message message) =>
        BodyKinds.Of(message) == BodyKind.Binary ? Encoding.ASCII.GetBytes($"\"{Base64(message)}\"") : message.Body;

    /// <summary>The same as a text, without quotes around base64.</summary>
    public static string ToText(Message message) =>
        BodyKinds.Of(message) == BodyKind.Binary ? Base64(message) : Encoding.UTF8.GetString(message.Body.Span);

    private static string Base64(Message message) => Convert.ToBase64String(message.Body.Span);
}
