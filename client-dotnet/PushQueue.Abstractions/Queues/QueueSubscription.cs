using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Client;

/// <summary>
/// One entry of a queue's setting <c>subscriptions</c>: every message that is put into the queues that it names is also put into the queue
/// with this setting.
/// </summary>
/// <param name="To">The name of a queue, or a pattern in which <c>*</c> stands for any characters.</param>
/// <param name="Where">
/// Which messages, by their headers: a name and its value, <c>7|8</c> for any of several, null for a header that must merely be there. Null
/// for all messages.
/// </param>
[JsonConverter(typeof(Converter))]
public sealed record QueueSubscription(string To, IReadOnlyDictionary<string, string?>? Where = null)
{
    /// <summary>
    /// Where the subscription begins: <c>earliest</c> copies first what those queues hold, waiting messages and history; null or
    /// <c>latest</c> begins with the next put.
    /// </summary>
    public string? From { get; init; }

    /// <summary>A subscription to all messages of a queue or pattern.</summary>
    public static implicit operator QueueSubscription(string to) => new(to);

    /// <summary>A subscription to all messages of a queue or pattern.</summary>
    public static QueueSubscription FromString(string to) => new(to);

    /// <summary>A text if all messages from now on are meant, else an object with <c>to</c>, <c>where</c> and <c>from</c>.</summary>
    internal sealed class Converter : JsonConverter<QueueSubscription>
    {
        /// <inheritdoc/>
        public override QueueSubscription Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            var json = document.RootElement;
            if (json.ValueKind == JsonValueKind.String)
            {
                return new QueueSubscription(json.GetString()!);
            }

            var where = json.TryGetProperty("where", out var conditions)
                ? conditions.EnumerateObject().ToDictionary(
                    static condition => condition.Name,
                    static condition => condition.Value.ValueKind == JsonValueKind.String ? condition.Value.GetString() : null,
                    StringComparer.Ordinal)
                : null;
            return new QueueSubscription(json.GetProperty("to").GetString()!, where)
            {
                From = json.TryGetProperty("from", out var from) ? from.GetString() : null,
            };
        }

        /// <inheritdoc/>
        public override void Write(Utf8JsonWriter writer, QueueSubscription value, JsonSerializerOptions options)
        {
            if (value is { Where: null or { Count: 0 }, From: null })
            {
                writer.WriteStringValue(value.To);
                return;
            }

            writer.WriteStartObject();
            writer.WriteString("to", value.To);
            if (value.Where is { Count: > 0 } where)
            {
                WriteWhere(writer, where);
            }

            if (value.From is { } from)
            {
                writer.WriteString("from", from);
            }

            writer.WriteEndObject();
        }

        private static void WriteWhere(Utf8JsonWriter writer, IReadOnlyDictionary<string, string?> where)
        {
            writer.WriteStartObject("where");
            foreach (var (name, wanted) in where)
            {
                if (wanted is null)
                {
                    writer.WriteBoolean(name, value: true);
                }
                else
                {
                    writer.WriteString(name, wanted);
                }
            }

            writer.WriteEndObject();
        }
    }
}
