using System.Text.Json;
using System.Text.Unicode;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Commands;

/// <summary>
/// One command as it came: its word, its queue, and every other field as a place in the frame. Nothing is copied until a command asks.
/// </summary>
internal sealed class CommandFrame
{
    private const int FieldsMax = 64;

    private readonly List<Field> _fields = [];
    private int _referenceStart;

    public ReadOnlyMemory<byte> Json { get; private set; }

    /// <summary>The error in the frame itself; null if it is a command.</summary>
    public Problem? Problem { get; private set; }

    /// <summary>The caller that sent it.</summary>
    public required Caller Caller { get; init; }

    /// <summary>The trace context of the request that carries the command; null on connections that last.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The headers of a message that the request gives as header fields; a put uses them where the command has none.</summary>
    public MessageHeaders? Headers { get; init; }

    /// <summary>
    /// Holds the messages of a large answer until the transport reports that it was written; null where that cannot fail.
    /// </summary>
    public PendingTake? Pending { get; set; }

    /// <summary>Whether the command gives messages out, so that its answer may be one that must not break.</summary>
    public bool Takes => Command is "take" or "lease";

    /// <summary>How many bytes the command has.</summary>
    public int Length { get; private set; }

    /// <summary>The queue's name where it does not stand in the frame; null where the field <c>queue</c> has it.</summary>
    public string? Queue { get; private init; }

    /// <summary>
    /// The places within <c>values</c> of strings of base64 that stand for bytes, from calls that can carry bytes; null without any.
    /// </summary>
    public IReadOnlySet<int>? Bytes { get; set; }

    /// <summary>The command's word; empty where it is missing.</summary>
    public string Command { get; private set; } = "";

    /// <summary>The raw JSON of <c>ref</c>, to be echoed; empty if the frame has no reference.</summary>
    public ReadOnlyMemory<byte> Reference { get; private set; }

    /// <summary>Reads a frame as far as it goes; with a problem, the frame still has the reference where that was readable.</summary>
    public static CommandFrame Read(
        ReadOnlyMemory<byte> json, Caller caller, string? traceParent = null, MessageHeaders? headers = null)
    {
        var frame = new CommandFrame
        {
            Json = JsonBody.SkipMark(json),
            Length = json.Length,
            Caller = caller,
            TraceParent = traceParent,
            Headers = headers,
        };
        frame.Problem = frame.ReadFields();
        return frame;
    }

    /// <summary>A call of the hub as a command: its arguments are fields that stay where they are.</summary>
    public static CommandFrame Of(
        string command, string queue, Caller caller, ReadOnlySpan<(string Name, JsonElement Value)> arguments, JsonElement? options)
    {
        var frame = new CommandFrame { Caller = caller, Command = command, Queue = queue };
        var seen = default(JsonFields);
        foreach (var (name, value) in arguments)
        {
            frame.Problem ??= seen.WhyNot(name);
            frame.Add(name, value);
        }

        frame.Problem ??= WhyNoOptions(options);
        if (options is not { ValueKind: JsonValueKind.Object } given)
        {
            return frame;
        }

        foreach (var option in given.EnumerateObject())
        {
            if (!JsonText.TryReadName(option, out var name))
            {
                frame.Problem ??= Problem.BadJson("The name of a field is not valid Unicode.");
                continue;
            }

            frame.Problem ??= name is "cmd" or "queue" or "ref"
                ? Problem.BadOption($"'{name}' is not an option of this method.")
                : seen.WhyNot(name);
            frame.Add(name, option.Value);
        }

        return frame;
    }

    /// <summary>The problem of a hub call's options that are given and are no object.</summary>
    public static Problem? WhyNoOptions(JsonElement? options) =>
        options is null or { ValueKind: JsonValueKind.Object or JsonValueKind.Null or JsonValueKind.Undefined }
            ? null
            : Problem.BadOption("The options of a call must be a JSON object, or null.");

    private void Add(string name, JsonElement value)
    {
        Length += JsonText.Raw(value).Length;
        if (value.ValueKind != JsonValueKind.Null || IsBody(name))
        {
            _fields.Add(new Field(name, 0, 0, value));
        }
    }

    private static bool IsBody(string name) => name is "value" or "body";

    /// <summary>Copies the frame, for a command that outlives the buffer in which it came.</summary>
    public void Detach()
    {
        var json = Json.ToArray();
        Json = json;
        if (!Reference.IsEmpty)
        {
            Reference = json.AsMemory(_referenceStart, Reference.Length);
        }
    }

    /// <summary>The one pass over the frame: checks the grammar and remembers where each field is.</summary>
    private Problem? ReadFields()
    {
        if (!Utf8.IsValid(Json.Span))
        {
            return NotJson("it is not valid UTF-8");
        }

        try
        {
            var reader = new Utf8JsonReader(Json.Span, JsonBody.ReaderOptions);
            reader.Read();
            var isObject = reader.TokenType == JsonTokenType.StartObject;
            var problem = isObject ? ReadFields(ref reader) : null;
            while (reader.Read())
            {
                // To the end of the frame: what follows the object, or is not an object, may be broken.
            }

            return isObject ? problem : Problem.BadJson("""A command is a JSON object like {"cmd":"take","queue":"test"}.""");
        }
        catch (JsonException e)
        {
            // The reader reports invalid JSON only by this exception.
            Reference = default;
            return NotJson(JsonBody.Describe(e));
        }
    }

    private static Problem NotJson(string whyNot) => Problem.BadJson($"The command is not valid JSON: {whyNot}.");

    private Problem? ReadFields(ref Utf8JsonReader reader)
    {
        var fields = default(JsonFields);
        var problem = default(Problem);
        while (fields.Next(ref reader, out var name))
        {
            // Read in any case: the reference may be behind a field that is wrong.
            var wrong = ReadField(ref reader, name);
            problem ??= wrong;
        }

        return fields.Problem ?? problem;
    }

    /// <summary>The field's value as text; the problem if it is not text, or missing although required.</summary>
    public Problem? Text(string name, bool required, out string? text)
    {
        text = null;
        if (!TryFind(name, out var field))
        {
            return required ? Problem.BadOption($"The field '{name}' is missing.") : null;
        }

        var reader = ReaderAt(field);
        return JsonText.Read(ref reader, name, out text)
            ?? (text is null && required ? Problem.BadOption($"The field '{name}' is missing.") : null);
    }

    /// <summary>The number of fields other than the word and the reference.</summary>
    public int Count => _fields.Count;

    /// <summary>The name of a field, in the order in which they came.</summary>
    public string NameAt(int index) => _fields[index].Name;

    /// <summary>The problem of a field that the command does not take.</summary>
    public Problem? Only(params ReadOnlySpan<string> allowed)
    {
        foreach (var field in _fields)
        {
            if (field.Name is not "queue" && !allowed.Contains(field.Name))
            {
                return OptionValues.Unknown(field.Name, "queue" + string.Concat(allowed.ToArray().Select(static name => ", " + name)));
            }
        }

        return null;
    }

    /// <summary>As <see cref="Only"/>, for a command that is about no queue.</summary>
    public Problem? OnlyThese(params ReadOnlySpan<string> allowed)
    {
        foreach (var field in _fields)
        {
            if (!allowed.Contains(field.Name))
            {
                return OptionValues.Unknown(field.Name, string.Join(", ", allowed.ToArray()));
            }
        }

        return null;
    }

    /// <summary>The field <c>id</c>.</summary>
    public Problem? Id(bool required, out MessageId? id)
    {
        id = null;
        var problem = Text("id", required, out var text);
        if (problem is not null || text is null)
        {
            return problem;
        }

        if (!MessageId.TryParse(text, out var parsed, out var whyNot))
        {
            return new Problem(ProblemType.BadMessageId, whyNot);
        }

        id = parsed;
        return null;
    }

    /// <summary>Whether the command asks to wait: what follows it, perhaps the ack that it waits for, must not wait too.</summary>
    public bool Waits => Has("wait") || Has("waitForAck");

    public bool Has(string name) => TryFind(name, out _);

    /// <summary>A field's raw JSON; empty if the frame lacks it.</summary>
    public ReadOnlySpan<byte> Raw(string name) => TryFind(name, out var field) ? Raw(field) : default;

    /// <summary>A field that is the body of a message, as it stands in its <see cref="Raw(string)"/>.</summary>
    public BodyField Body(string name)
    {
        if (!TryFind(name, out var field))
        {
            return default;
        }

        var reader = ReaderAt(field);
        return BodyField.At(ref reader);
    }

    private ReadOnlySpan<byte> Raw(Field field) =>
        field.Element is { } element ? JsonText.Raw(element) : Json.Span.Slice(field.Start, field.Length);

    private Utf8JsonReader ReaderAt(Field field)
    {
        var reader = new Utf8JsonReader(Raw(field), JsonBody.ReaderOptions);
        reader.Read();
        return reader;
    }

    private bool TryFind(string name, out Field field)
    {
        foreach (var candidate in _fields)
        {
            if (candidate.Name == name)
            {
                field = candidate;
                return true;
            }
        }

        field = default;
        return false;
    }

    /// <summary>The reader stands at a value and moves to its end.</summary>
    private Problem? ReadField(ref Utf8JsonReader reader, string name)
    {
        if (name == "cmd")
        {
            var problem = JsonText.Read(ref reader, name, out var command);
            reader.Skip();
            Command = command ?? "";
            return problem;
        }

        var start = (int)reader.TokenStartIndex;
        var isNull = reader.TokenType == JsonTokenType.Null;
        reader.Skip();
        var length = (int)reader.BytesConsumed - start;
        if (name == "ref")
        {
            Reference = Json.Slice(start, length);
            _referenceStart = start;
            return null;
        }

        if (isNull && !IsBody(name))
        {
            // An option that is null is one that is not given. A body may be null.
            return null;
        }

        if (_fields.Count == FieldsMax)
        {
            return Problem.BadJson($"A command has at most {FieldsMax} fields.");
        }

        _fields.Add(new Field(name, start, length));
        return null;
    }

    /// <param name="Name">Its name.</param>
    /// <param name="Start">Where its value stands in the frame.</param>
    /// <param name="Length">How long the value is.</param>
    /// <param name="Element">The value itself, where it is an argument of a hub call.</param>
    private readonly record struct Field(string Name, int Start, int Length, JsonElement? Element = null);
}
