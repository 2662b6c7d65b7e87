using System.Text.Json;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Packing;

/// <summary>
/// JSON as the MessagePack value that it stands for: objects become maps with the keys in their order, lists arrays, strings str. A
/// number without fraction and exponent becomes an integer if 64 bits hold it, any other number a float 64.
/// </summary>
internal static class PackedJson
{
    /// <summary>Bounds what a thread keeps of a document with many long lists.</summary>
    private const int KeptWideMax = 1024;

    /// <summary>
    /// MessagePack for .NET reads 500 levels, those around the body included, and SignalR drops a call that it cannot read.
    /// </summary>
    private const int BodyDepthMax = 480;

    /// <summary>Levels for which the stack has room; a deeper document costs an array.</summary>
    private const int DepthUsual = 32;

    [ThreadStatic]
    private static List<Container>? _wide;

    /// <summary>
    /// Writes one JSON value. False if a string of it is half a surrogate pair, which MessagePack cannot express, or if it is nested deeper
    /// than clients read; nothing is written then.
    /// </summary>
    /// <param name="writer">Where to.</param>
    /// <param name="json">Valid JSON.</param>
    public static bool TryWrite(PageWriter writer, ReadOnlySpan<byte> json)
    {
        var wide = _wide ??= [];
        wide.Clear();
        var written = TryWrite(writer, json, hasEnvelopes: false, wide, BodyDepthMax);
        if (wide.Capacity > KeptWideMax)
        {
            _wide = null;
        }

        return written;
    }

    /// <summary>
    /// Writes an answer or an event of the server. In the envelope <c>message</c>, and in those of the list <c>messages</c>, a body in
    /// base64 is written as bytes, without the field <c>encoding</c>, and a body that MessagePack cannot express as the bytes of its JSON.
    /// </summary>
    /// <param name="writer">Where to.</param>
    /// <param name="json">JSON that the server has written.</param>
    public static void WriteAnswer(PageWriter writer, ReadOnlySpan<byte> json)
    {
        if (!TryWrite(writer, json, hasEnvelopes: true, [], JsonDepth.Max))
        {
            // Half a surrogate pair elsewhere than in a body: the whole goes as JSON text.
            Pack.WriteText(writer, json);
        }
    }

    private static bool TryWrite(
        PageWriter writer, ReadOnlySpan<byte> json, bool hasEnvelopes, List<Container> wide, int depthMax)
    {
        var begin = writer.Length;
        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        var envelope = new EnvelopeBody(hasEnvelopes);
        Span<Container> open = stackalloc Container[DepthUsual];
        var depth = 0;
        while (reader.Read())
        {
            // An element of a list counts at its beginning, a pair of a map at its name.
            if (depth > 0 && open[depth - 1].Empty == Pack.EmptyList
                && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
            {
                open[depth - 1].Count++;
            }

            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    if (depth == depthMax)
                    {
                        writer.Truncate(begin);
                        return false;
                    }

                    var empty = reader.TokenType == JsonTokenType.StartObject ? Pack.EmptyMap : Pack.EmptyList;
                    open = depth < open.Length ? open : Deeper(open);
                    open[depth++] = new Container(writer.Length, empty);
                    writer.Write(empty);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    Close(writer, open[--depth], wide);
                    break;
                case JsonTokenType.PropertyName when envelope.TryReplace(writer, ref reader, depth):
                    break;
                case JsonTokenType.PropertyName:
                    open[depth - 1].Count++;
                    if (!TryWriteText(writer, ref reader))
                    {
                        writer.Truncate(begin);
                        return false;
                    }

                    envelope.WriteIfBody(writer, ref reader, json, depth);
                    break;
                default:
                    if (!TryWriteScalar(writer, ref reader))
                    {
                        writer.Truncate(begin);
                        return false;
                    }

                    break;
            }
        }

        Widen(writer, wide);
        return true;
    }

    private static Span<Container> Deeper(Span<Container> open)
    {
        var deeper = new Container[JsonDepth.Max];
        open.CopyTo(deeper);
        return deeper;
    }

    private static void Close(PageWriter writer, Container container, List<Container> wide)
    {
        if (container.Count <= Pack.ShortCountMax)
        {
            writer.From(container.Position)[0] |= (byte)container.Count;
        }
        else
        {
            wide.Add(container);
        }
    }

    /// <summary>
    /// Makes room for the long heads of all lists and maps that need one, in a single pass from the end: a pass for each of them would be
    /// quadratic for lists within lists.
    /// </summary>
    private static void Widen(PageWriter writer, List<Container> wide)
    {
        if (wide.Count == 0)
        {
            return;
        }

        wide.Sort(static (a, b) => a.Position.CompareTo(b.Position));
        var end = writer.Length;
        var extra = 0;
        foreach (var container in wide)
        {
            extra += container.ExtraBytes;
        }

        _ = writer.Reserve(extra);
        var bytes = writer.From(0);
        for (var i = wide.Count - 1; i >= 0; i--)
        {
            var container = wide[i];
            var content = container.Position + 1;
            bytes[content..end].CopyTo(bytes[(content + extra)..]);
            extra -= container.ExtraBytes;
            _ = Pack.CountHead(bytes[(container.Position + extra)..], container.Empty, container.Count);
            end = container.Position;
        }
    }

    private static bool TryWriteScalar(PageWriter writer, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return TryWriteText(writer, ref reader);
            case JsonTokenType.Number:
                if (reader.TryGetInt64(out var integer))
                {
                    Pack.WriteInteger(writer, integer);
                }
                else if (reader.TryGetUInt64(out var large))
                {
                    Pack.WriteInteger(writer, large);
                }
                else
                {
                    _ = reader.TryGetDouble(out var number);
                    Pack.WriteDouble(writer, number);
                }

                return true;
            case JsonTokenType.True or JsonTokenType.False:
                Pack.WriteBoolean(writer, reader.TokenType == JsonTokenType.True);
                return true;
            default:
                writer.Write(Pack.Nil);
                return true;
        }
    }

    private static bool TryWriteText(PageWriter writer, ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            Pack.WriteText(writer, reader.ValueSpan);
            return true;
        }

        // No text is longer than its escaped form. The head is written behind the text's place, and moved where it is shorter.
        Span<byte> head = stackalloc byte[5];
        var room = Pack.TextHead(head, reader.ValueSpan.Length);
        var start = writer.Reserve(room + reader.ValueSpan.Length);
        if (!JsonText.TryCopy(ref reader, writer.From(start + room), out var length))
        {
            return false;
        }

        var headLength = Pack.TextHead(head, length);
        var place = writer.From(start);
        place.Slice(room, length).CopyTo(place[headLength..]);
        head[..headLength].CopyTo(place);
        writer.Truncate(start + headLength + length);
        return true;
    }

    /// <param name="position">Where its head stands, which is one byte at first.</param>
    /// <param name="empty"><see cref="Pack.EmptyList"/> or <see cref="Pack.EmptyMap"/>.</param>
    private struct Container(int position, byte empty)
    {
        public int Position { get; } = position;

        public byte Empty { get; } = empty;

        public int Count { get; set; }

        public readonly int ExtraBytes => Count <= ushort.MaxValue ? 2 : 4;
    }

    /// <summary>Writes the bodies of the envelopes in an answer. The field <c>encoding</c> follows the body that it concerns.</summary>
    private ref struct EnvelopeBody(bool enabled)
    {
        private const int TopLevel = 1;
        private const int OfMessage = 2;
        private const int OfMessages = 3;

        private Utf8JsonReader _body;
        private int _bodyAt = -1;

        /// <summary>At which level the fields of envelopes stand, within the current field of the answer; 0 where it holds none.</summary>
        private int _fields;

        /// <summary>Writes the value of the field at whose name the reader stands, and moves to its end, if it is a body.</summary>
        public void WriteIfBody(PageWriter writer, ref Utf8JsonReader reader, ReadOnlySpan<byte> json, int depth)
        {
            if (!enabled)
            {
                return;
            }

            if (depth == TopLevel)
            {
                _fields = reader.ValueTextEquals("message"u8) ? OfMessage : reader.ValueTextEquals("messages"u8) ? OfMessages : 0;
            }

            if (depth != _fields)
            {
                return;
            }

            _bodyAt = -1;
            if (!reader.ValueTextEquals("body"u8))
            {
                return;
            }

            _bodyAt = writer.Length;
            reader.Read();
            _body = reader;
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var body = json[start..(int)reader.BytesConsumed];
            if (!TryWrite(writer, body, hasEnvelopes: false, [], BodyDepthMax))
            {
                Pack.WriteBytes(writer, body);
            }
        }

        /// <summary>
        /// Writes the body before as bytes if the reader stands at the name of the field that says that it is base64, and moves past that
        /// field.
        /// </summary>
        public bool TryReplace(PageWriter writer, ref Utf8JsonReader reader, int depth)
        {
            if (_bodyAt < 0 || depth != _fields || !reader.ValueTextEquals("encoding"u8)
                || _body.TokenType != JsonTokenType.String || !_body.TryGetBytesFromBase64(out var bytes))
            {
                return false;
            }

            reader.Read();
            writer.Truncate(_bodyAt);
            Pack.WriteBytes(writer, bytes);
            _bodyAt = -1;
            return true;
        }
    }
}
