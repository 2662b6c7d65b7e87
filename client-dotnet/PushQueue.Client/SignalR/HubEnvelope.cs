using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PushQueue.Client.SignalR;

/// <summary>
/// An argument of a hub's call over a connection of the program's own, in whatever protocol that speaks. In JSON it keeps the JSON that
/// came. The MessagePack protocol reads it as a dictionary, so that this package needs no reference to MessagePack.
/// </summary>
[JsonConverter(typeof(Converter))]
internal sealed class HubEnvelope : Dictionary<string, object?>
{
    private byte[]? _json;

    public HubEnvelope()
        : base(StringComparer.Ordinal)
    {
    }

    public HubEnvelope(byte[] json)
        : base(StringComparer.Ordinal) => _json = json;

    /// <summary>The argument as the JSON protocol carries it.</summary>
    public byte[] ToJson() => _json ??= Write();

    private byte[] Write()
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in this)
            {
                writer.WritePropertyName(name);
                WriteValue(writer, value);
                if (name == "body" && value is byte[])
                {
                    writer.WriteString("encoding"u8, "base64"u8);
                }
            }

            writer.WriteEndObject();
        }

        return json.WrittenSpan.ToArray();
    }

    private static void WriteValue(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case byte[] bytes:
                writer.WriteBase64StringValue(bytes);
                break;
            case bool truth:
                writer.WriteBooleanValue(truth);
                break;
            case double number when double.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case double number:
                // A number of JSON that is beyond the range of a double.
                writer.WriteRawValue(number > 0 ? "1e999"u8 : "-1e999"u8, skipInputValidation: true);
                break;
            case ulong large:
                writer.WriteNumberValue(large);
                break;
            case IConvertible integer:
                writer.WriteNumberValue(integer.ToInt64(System.Globalization.CultureInfo.InvariantCulture));
                break;
            case System.Collections.IDictionary map:
                writer.WriteStartObject();
                foreach (System.Collections.DictionaryEntry entry in map)
                {
                    writer.WritePropertyName((string)entry.Key);
                    WriteValue(writer, entry.Value);
                }

                writer.WriteEndObject();
                break;
            case System.Collections.IEnumerable list:
                writer.WriteStartArray();
                foreach (var element in list)
                {
                    WriteValue(writer, element);
                }

                writer.WriteEndArray();
                break;
            default:
                throw new NotSupportedException($"The hub sent a {value.GetType()}.");
        }
    }

    internal sealed class Converter : JsonConverter<HubEnvelope>
    {
        public override HubEnvelope Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return new HubEnvelope(JsonMarshal.GetRawUtf8Value(document.RootElement).ToArray());
        }

        public override void Write(Utf8JsonWriter writer, HubEnvelope value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.ToJson());
    }
}
