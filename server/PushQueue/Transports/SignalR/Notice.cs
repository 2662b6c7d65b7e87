using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// A notice of a node to the others over the hub's groups. A backplane sends each call in all protocols of the hub. A notice is read in
/// JSON alone, and is empty in MessagePack.
/// </summary>
/// <param name="Json">The notice.</param>
[JsonConverter(typeof(Converter))]
internal readonly record struct Notice(ReadOnlyMemory<byte> Json)
{
    public sealed class Converter : JsonConverter<Notice>
    {
        public override Notice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Clients send no notices.");

        public override void Write(Utf8JsonWriter writer, Notice value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Json.Span, skipInputValidation: true);
    }
}
