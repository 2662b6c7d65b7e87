using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Client.SignalR;

/// <summary>An argument of a hub's call as the JSON that came.</summary>
[JsonConverter(typeof(Converter))]
internal readonly record struct HubItem(byte[] Json)
{
    /// <summary>For items that <see cref="PushQueueHubProtocol"/> leaves to the framework's reader. Copies, because SignalR uses its buffer
    /// again for the next record.</summary>
    internal sealed class Converter : JsonConverter<HubItem>
    {
        public override HubItem Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return new HubItem(JsonMarshal.GetRawUtf8Value(document.RootElement).ToArray());
        }

        public override void Write(Utf8JsonWriter writer, HubItem value, JsonSerializerOptions options) => writer.WriteRawValue(value.Json);
    }
}
