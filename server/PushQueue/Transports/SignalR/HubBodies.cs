using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.SignalR;

/// <summary>The bodies of several messages as an argument of a call.</summary>
/// <param name="Json">A list of bodies, or what the client gave in its place.</param>
/// <param name="Bytes">
/// The places of bodies that a client of the MessagePack protocol gave as bytes, which <paramref name="Json"/> has in base64; null without
/// any.
/// </param>
[JsonConverter(typeof(Converter))]
internal readonly record struct HubBodies(JsonElement Json, IReadOnlySet<int>? Bytes = null)
{
    public sealed class Converter : JsonConverter<HubBodies>
    {
        public override bool HandleNull => true;

        public override HubBodies Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(JsonElement.ParseValue(ref reader));

        public override void Write(Utf8JsonWriter writer, HubBodies value, JsonSerializerOptions options) =>
            throw new NotSupportedException("The server sends no bodies as arguments.");
    }
}
