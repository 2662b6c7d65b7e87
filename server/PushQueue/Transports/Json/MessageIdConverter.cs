using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using PushQueue.Queues;

namespace PushQueue.Transports.Json;

#pragma warning disable RS0030 // Only notices of other nodes are read here; MessageId.TryParse reads the ids of clients.

/// <summary>Message ids are strings, also those that are numbers, because numbers of JavaScript are exact only up to 2^53.</summary>
internal sealed class MessageIdConverter : JsonConverter<MessageId>
{
    private const int DigitsMax = 20;

    public static void Write(Utf8JsonWriter writer, MessageId id)
    {
        if (!id.IsNumber)
        {
            writer.WriteStringValue(id.ToString());
            return;
        }

        Span<char> digits = stackalloc char[DigitsMax];
        _ = id.Number.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
        writer.WriteStringValue(digits[..length]);
    }

    /// <inheritdoc/>
    public override MessageId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        MessageId.Parse(reader.GetString()!);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, MessageId value, JsonSerializerOptions options) => Write(writer, value);
}
