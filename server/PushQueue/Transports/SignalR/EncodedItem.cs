using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Transports.SignalR;

/// <summary>An item of a stream in the protocol of its connection, encoded once for all streams of that protocol.</summary>
/// <param name="Bytes">One JSON or MessagePack value, which is written as it is.</param>
[JsonConverter(typeof(Converter))]
internal readonly record struct EncodedItem(ReadOnlyMemory<byte> Bytes)
{
    public sealed class Converter : JsonConverter<EncodedItem>
    {
        public override EncodedItem Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Clients send no items.");

        public override void Write(Utf8JsonWriter writer, EncodedItem value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Bytes.Span, skipInputValidation: true);
    }
}
