using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.SignalR;

/// <summary>The body of a message as an argument of a call.</summary>
/// <param name="Json">The body, or a string of base64.</param>
/// <param name="IsBytes">Whether a client of the MessagePack protocol gave bytes, which <paramref name="Json"/> has in base64.</param>
[JsonConverter(typeof(Converter))]
internal readonly record struct HubBody(JsonElement Json, bool IsBytes = false)
{
    public sealed class Converter : JsonConverter<HubBody>
    {
        public override bool HandleNull => true;

        public override HubBody Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(JsonElement.ParseValue(ref reader));

        public override void Write(Utf8JsonWriter writer, HubBody value, JsonSerializerOptions options) =>
            throw new NotSupportedException("The server sends no bodies as arguments.");
    }
}
