using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using PushQueue.Queues;

namespace PushQueue.Transports.Json;

#pragma warning disable RS0030 // Only the answers of other nodes are read here.

/// <summary>JSON that is ready: written into the hub's answer as it is, without being read into objects first.</summary>
/// <param name="Utf8">The JSON.</param>
/// <param name="Pending">Held until the answer is written; null where nothing depends on that.</param>
[JsonConverter(typeof(Converter))]
internal readonly record struct RawJson(ReadOnlyMemory<byte> Utf8, PendingTake? Pending = null)
{
    public sealed class Converter : JsonConverter<RawJson>
    {
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return new RawJson(JsonMarshal.GetRawUtf8Value(document.RootElement).ToArray());
        }

        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
    }
}
