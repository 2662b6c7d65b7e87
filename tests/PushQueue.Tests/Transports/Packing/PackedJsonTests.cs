using System.Globalization;
using System.Text;
using System.Text.Json;
using MessagePack;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports;
using PushQueue.Transports.Packing;
using Xunit;

namespace PushQueue.Tests.Transports.Packing;

/// <summary>JSON as MessagePack and back, against the MessagePack library.</summary>
public sealed class PackedJsonTests
{
    public static TheoryData<string> Documents =>
    [
        "null", "true", "false", "\"\"", "[]", "{}", "{\"a\":1}", "[[[]],{\"a\":{}}]", " [ 1 , 2 ] ",
        "0", "1", "-1", "-32", "-33", "127", "128", "-128", "-129", "255", "256", "32767", "-32768", "-32769", "65535", "65536",
        "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296", "9223372036854775807",
        "-9223372036854775808", "1.5", "-0.25", "1e3", "1E-7", "0.1",
        "\"a\"", "\"\\u00e9\\n\\\"\\\\\\/\"", "\"\\ud83d\\ude00\"", "\"é😀\"", "{\"\\u0061\\u00e9\":1}",
        $"\"{new string('x', 31)}\"", $"\"{new string('x', 32)}\"", $"\"{new string('x', 255)}\"", $"\"{new string('x', 256)}\"",
        $"\"{new string('x', 65_535)}\"", $"\"{new string('x', 65_536)}\"", $"\"{string.Concat(Enumerable.Repeat("\\u0061", 31))}\"",
        List(15), List(16), List(65_535), List(65_536), $"[{List(16)},{Map(16)},{List(17)},{List(3)}]", Map(15), Map(16), Map(65_536),
        $"{{\"a\":{List(40)},\"b\":[{List(70_000)},{Map(20)}],\"c\":1}}", Nested(16, 20), Nested(1, 480),
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_document_is_the_bytes_that_the_library_writes(string json)
    {
        var packed = Pack(json);

        Assert.NotNull(packed);
        Assert.Equal(Convert.ToHexString(MessagePackSerializer.ConvertFromJson(json)), Convert.ToHexString(packed));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_document_comes_back_as_the_same_json(string json)
    {
        var reader = new MessagePackReader(Pack(json));
        var writer = PageWriter.Rent();

        var problem = UnpackedJson.Write(ref reader, writer);

        Assert.Null(problem);
        Assert.True(reader.End);
        var options = new JsonDocumentOptions { MaxDepth = 1000 };
        using var before = JsonDocument.Parse(json, options);
        using var after = JsonDocument.Parse(writer.From(0).ToArray(), options);
        Assert.True(JsonElement.DeepEquals(before.RootElement, after.RootElement));
    }

    [Theory]
    [InlineData("18446744073709551615", "CFFFFFFFFFFFFFFFFF")]
    [InlineData("18446744073709551616", "CB43F0000000000000")]
    [InlineData("1.0", "CB3FF0000000000000")]
    [InlineData("1e999", "CB7FF0000000000000")]
    public void A_number_that_64_bits_do_not_hold_is_a_float(string json, string packed) =>
        Assert.Equal(packed, Convert.ToHexString(Pack(json)!));

    [Theory]
    [InlineData("\"\\ud83d\"")]
    [InlineData("{\"\\ud83d\":1}")]
    [InlineData("[1,[\"\\udc00 \"]]")]
    public void Half_a_surrogate_pair_cannot_be_written_and_leaves_nothing(string json) => Assert.Null(Pack(json));

    [Fact]
    public void A_document_deeper_than_clients_read_is_not_written() => Assert.Null(Pack(Nested(1, 481)));

    /// <summary>Many lists that each need a longer head, within each other: a pass over all for each of them would take minutes.</summary>
    [Fact]
    public void Long_lists_within_each_other_cost_one_pass()
    {
        var json = Nested(16, 400).Replace("1,", $"\"{new string('x', 100)}\",", StringComparison.Ordinal);

        Assert.Equal(MessagePackSerializer.ConvertFromJson(json), Pack(json));
    }

    [Theory]
    [InlineData("{\"ok\":true,\"message\":{\"id\":\"1\",\"body\":\"AP8=\",\"encoding\":\"base64\",\"contentType\":\"x/y\"}}",
        "{\"ok\":true,\"message\":{\"id\":\"1\",\"body\":\"AP8=\",\"contentType\":\"x/y\"}}", 1)]
    [InlineData("{\"ok\":true,\"message\":null}", "{\"ok\":true,\"message\":null}", 0)]
    [InlineData("{\"messages\":[{\"body\":\"AP8=\",\"encoding\":\"base64\"},{\"body\":\"AP8=\"},{\"body\":{\"body\":\"AP8=\",\"encoding\":\"base64\"}}]}",
        "{\"messages\":[{\"body\":\"AP8=\"},{\"body\":\"AP8=\"},{\"body\":{\"body\":\"AP8=\",\"encoding\":\"base64\"}}]}", 1)]
    [InlineData("{\"message\":{\"body\":{\"message\":{\"body\":\"AP8=\",\"encoding\":\"base64\"}}}}",
        "{\"message\":{\"body\":{\"message\":{\"body\":\"AP8=\",\"encoding\":\"base64\"}}}}", 0)]
    [InlineData("{\"info\":{\"body\":\"AP8=\",\"encoding\":\"base64\"}}", "{\"info\":{\"body\":\"AP8=\",\"encoding\":\"base64\"}}", 0)]
    [InlineData("{\"message\":{\"body\":[\"\\ud83d\"],\"offset\":1}}", "{\"message\":{\"body\":\"WyJcdWQ4M2QiXQ==\",\"offset\":1}}", 1)]
    public void An_answer_has_the_bodies_of_its_envelopes_as_bytes(string answer, string expected, int bodiesAsBytes)
    {
        var writer = PageWriter.Rent();

        PackedJson.WriteAnswer(writer, Encoding.UTF8.GetBytes(answer));

        var packed = writer.From(0).ToArray();
        Assert.Equal(expected, MessagePackSerializer.ConvertToJson(packed));
        Assert.Equal(bodiesAsBytes, CountBytes(MessagePackSerializer.Deserialize<object>(packed)));
    }

    /// <summary>Every field of an envelope, alone and with all others: what JSON says, MessagePack says.</summary>
    [Fact]
    public void An_envelope_has_the_fields_of_the_json_envelope()
    {
        var now = new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);
        var bodies = new (string Type, string Body)[]
        {
            ("application/json", "{\"a\":[1,2.5,null,\"\\n\"]}"), ("application/json", "{\n\"a\":1}"), ("application/json", "{broken"),
            ("application/vnd.a+json", "[1]"), ("text/plain", "text é"), ("application/octet-stream", "bytes"), ("", "none"),
        };
        for (var fields = 0; fields < 256; fields++)
        {
            foreach (var (type, body) in bodies)
            {
                var message = Message(type, body, fields, now);
                var pushed = new PushedMessage(
                    message, BodyKinds.Of(message), "0badcafe", (fields & 1) != 0 ? new Receipt(0xBE9574D27776DA6A) : default, now);
                var json = PageWriter.Rent();
                Envelope.Write(json, pushed);
                var packed = PageWriter.Rent();
                PackedEnvelope.Write(packed, pushed);

                using var expected = JsonDocument.Parse(json.From(0).ToArray());
                json.Return();
                using var found = JsonDocument.Parse(MessagePackSerializer.ConvertToJson(packed.From(0).ToArray()));
                Assert.Equal(
                    expected.RootElement.EnumerateObject().Where(static field => field.Name != "encoding")
                        .Select(static field => $"{field.Name}={Compact(field.Value)}"),
                    found.RootElement.EnumerateObject().Select(static field => $"{field.Name}={Compact(field.Value)}"));
            }
        }
    }

    private static string Compact(JsonElement value) => JsonSerializer.Serialize(value);

    private static Message Message(string type, string body, int fields, DateTimeOffset now)
    {
        MessageHeaders? headers = null;
        if ((fields & 2) != 0)
        {
            var builder = new MessageHeadersBuilder();
            for (var i = 0; i < ((fields & 4) != 0 ? 20 : 1); i++)
            {
                Assert.Null(builder.Add($"name-{i}", "é"));
            }

            headers = builder.Build();
        }

        return new Message
        {
            Queue = QueueName.Parse("qé"),
            Id = (fields & 8) != 0 ? MessageId.FromNumber(1234567) : MessageId.Parse("my-id"),
            Body = Encoding.UTF8.GetBytes(body),
            ContentType = type,
            Offset = (fields & 16) != 0 ? 70_000 : 0,
            Attempt = (fields & 32) != 0 ? 3 : 1,
            Priority = (fields & 64) != 0 ? 7 : 0,
            Key = (fields & 128) != 0 ? "customer-7" : null,
            TraceParent = (fields & 4) != 0 ? "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" : null,
            Headers = headers,
            State = MessageState.Ready,
            EnqueuedAt = (fields & 16) != 0 ? now : now.AddMinutes(-1),
            AvailableAt = now,
        };
    }

    private static int CountBytes(object? value) => value switch
    {
        byte[] => 1,
        IDictionary<object, object?> map => map.Values.Sum(CountBytes),
        object?[] list => list.Sum(CountBytes),
        _ => 0,
    };

    private static byte[]? Pack(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        Assert.True(JsonBody.IsValid(bytes));
        var writer = PageWriter.Rent();
        writer.Write("head"u8);
        var written = PackedJson.TryWrite(writer, bytes);
        Assert.Equal("head", Encoding.UTF8.GetString(writer.From(0)[..4]));
        Assert.True(written || writer.Length == 4);
        return written ? writer.From(4).ToArray() : null;
    }

    private static string List(int count) => $"[{string.Join(',', Enumerable.Repeat("1", count))}]";

    private static string Map(int count) =>
        $"{{{string.Join(',', Enumerable.Range(0, count).Select(static i => string.Create(CultureInfo.InvariantCulture, $"\"{i}\":{i}")))}}}";

    /// <summary>Lists within lists; each holds that many elements, the last of which is the next list.</summary>
    private static string Nested(int width, int depth)
    {
        var begin = "[" + string.Concat(Enumerable.Repeat("1,", width - 1));
        var text = new StringBuilder();
        for (var i = 0; i < depth - 1; i++)
        {
            _ = text.Append(begin);
        }

        return text.Append("[]").Append(']', depth - 1).ToString();
    }
}
