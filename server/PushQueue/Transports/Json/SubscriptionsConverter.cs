using System.Text.Json;
using System.Text.Json.Serialization;
using PushQueue.Queues;

namespace PushQueue.Transports.Json;

/// <summary>
/// Writes subscriptions as clients give them: a name or pattern alone where all messages are meant, else an object like
/// <c>{"to":"audit","where":{"tenant":"7"},"from":"earliest"}</c>.
/// </summary>
internal sealed class SubscriptionsConverter : JsonConverter<QueueSubscriptions>
{
    /// <inheritdoc/>
    public override QueueSubscriptions Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Changes of settings are read by SettingsJson.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, QueueSubscriptions value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var entry in value.Entries)
        {
            if (entry is { Where: null, FromEarliest: false })
            {
                writer.WriteStringValue(entry.To);
                continue;
            }

            writer.WriteStartObject();
            writer.WriteString("to"u8, entry.To);
            if (entry.Where is { } where)
            {
                writer.WriteStartObject("where"u8);
                foreach (var condition in where.Conditions)
                {
                    WriteCondition(writer, condition);
                }

                writer.WriteEndObject();
            }

            if (entry.FromEarliest)
            {
                writer.WriteString("from"u8, "earliest"u8);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteCondition(Utf8JsonWriter writer, string condition)
    {
        var equals = condition.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            writer.WriteBoolean(condition, value: true);
        }
        else
        {
            writer.WriteString(condition.AsSpan(0, equals), condition.AsSpan(equals + 1));
        }
    }
}
