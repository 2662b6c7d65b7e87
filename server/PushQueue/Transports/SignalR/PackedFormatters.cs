using System.Text.Json;
using MessagePack;
using MessagePack.Formatters;
using MessagePack.Resolvers;
using PushQueue.Delivery.Encoding;
using PushQueue.Transports.Json;
using PushQueue.Transports.Packing;

namespace PushQueue.Transports.SignalR;

/// <summary>How the hub's arguments and answers are read and written in MessagePack.</summary>
internal static class PackedFormatters
{
    private static readonly IMessagePackFormatter[] Own =
    [
        new ArgumentFormatter(), new BodyFormatter(), new BodiesFormatter(), new AnswerFormatter(), new SubscribeAnswerFormatter(),
        new AuthenticateAnswerFormatter(), new ItemFormatter(), new NoticeFormatter(),
    ];

    /// <summary>The options of the hub's protocol.</summary>
    /// <param name="others">Finds formatters for what the application itself sends to clients of the hub.</param>
    public static MessagePackSerializerOptions Options(IFormatterResolver others) =>
        MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.UntrustedData)
            .WithResolver(CompositeResolver.Create(Own, [others]));

    private static JsonElement Parse(PageWriter json)
    {
        var reader = new Utf8JsonReader(json.From(0), JsonBody.ReaderOptions);
        var element = JsonElement.ParseValue(ref reader);
        json.Return();
        return element;
    }

    private static JsonElement ReadElement(ref MessagePackReader reader)
    {
        var json = PageWriter.Rent();
        return UnpackedJson.Write(ref reader, json) is { } problem ? throw HubCommands.Failure(problem) : Parse(json);
    }

    private static NotSupportedException Never() => new("This type goes in the other direction only.");

    private sealed class ArgumentFormatter : IMessagePackFormatter<JsonElement>
    {
        public JsonElement Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => ReadElement(ref reader);

        public void Serialize(ref MessagePackWriter writer, JsonElement value, MessagePackSerializerOptions options) =>
            WriteAnswer(ref writer, JsonText.Raw(value));
    }

    private sealed class BodyFormatter : IMessagePackFormatter<HubBody>
    {
        public HubBody Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
        {
            if (reader.NextMessagePackType != MessagePackType.Binary)
            {
                return new HubBody(ReadElement(ref reader));
            }

            var json = PageWriter.Rent();
            UnpackedJson.WriteBytes(ref reader, json);
            return new HubBody(Parse(json), IsBytes: true);
        }

        public void Serialize(ref MessagePackWriter writer, HubBody value, MessagePackSerializerOptions options) => throw Never();
    }

    private sealed class BodiesFormatter : IMessagePackFormatter<HubBodies>
    {
        public HubBodies Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
        {
            var places = reader.NextMessagePackType == MessagePackType.Array ? BytesOf(reader) : null;
            return new HubBodies(ReadElement(ref reader), places);
        }

        public void Serialize(ref MessagePackWriter writer, HubBodies value, MessagePackSerializerOptions options) => throw Never();

        /// <summary>The places of the elements that are bytes.</summary>
        /// <param name="list">A copy of the reader, which stays where it is.</param>
        private static HashSet<int>? BytesOf(MessagePackReader list)
        {
            HashSet<int>? places = null;
            var count = list.ReadArrayHeader();
            for (var i = 0; i < count; i++)
            {
                if (list.NextMessagePackType == MessagePackType.Binary)
                {
                    _ = (places ??= []).Add(i);
                }

                list.Skip();
            }

            return places;
        }
    }

    private sealed class AnswerFormatter : IMessagePackFormatter<RawJson>
    {
        public RawJson Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => throw Never();

        public void Serialize(ref MessagePackWriter writer, RawJson value, MessagePackSerializerOptions options) =>
            WriteAnswer(ref writer, value.Utf8.Span);
    }

    private sealed class SubscribeAnswerFormatter : IMessagePackFormatter<SubscribeAnswer?>
    {
        public SubscribeAnswer Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => throw Never();

        public void Serialize(ref MessagePackWriter writer, SubscribeAnswer? value, MessagePackSerializerOptions options)
        {
            writer.WriteMapHeader(1 + (value!.Queue is null ? 0 : 1) + (value.Queues is null ? 0 : 1));
            if (value.Queue is not null)
            {
                writer.Write("queue");
                writer.Write(value.Queue);
            }

            writer.Write("cursor");
            writer.Write(value.Cursor);
            if (value.Queues is null)
            {
                return;
            }

            writer.Write("queues");
            writer.WriteArrayHeader(value.Queues.Count);
            foreach (var queue in value.Queues)
            {
                writer.Write(queue);
            }
        }
    }

    private sealed class AuthenticateAnswerFormatter : IMessagePackFormatter<AuthenticateAnswer?>
    {
        public AuthenticateAnswer Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => throw Never();

        public void Serialize(ref MessagePackWriter writer, AuthenticateAnswer? value, MessagePackSerializerOptions options)
        {
            writer.WriteMapHeader(1);
            writer.Write("expires");
            writer.Write(value!.Expires);
        }
    }

    private sealed class ItemFormatter : IMessagePackFormatter<EncodedItem>
    {
        public EncodedItem Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => throw Never();

        public void Serialize(ref MessagePackWriter writer, EncodedItem value, MessagePackSerializerOptions options) =>
            writer.WriteRaw(value.Bytes.Span);
    }

    private sealed class NoticeFormatter : IMessagePackFormatter<Notice>
    {
        public Notice Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options) => throw Never();

        public void Serialize(ref MessagePackWriter writer, Notice value, MessagePackSerializerOptions options) => writer.WriteNil();
    }

    private static void WriteAnswer(ref MessagePackWriter writer, ReadOnlySpan<byte> json)
    {
        var packed = PageWriter.Rent();
        PackedJson.WriteAnswer(packed, json);
        writer.WriteRaw(packed.From(0));
        packed.Return();
    }
}
