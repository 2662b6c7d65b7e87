using System.Text.Json;
using PushQueue.Security;

namespace PushQueue.Transports.Commands;

/// <summary>
/// One command as it came: its word, its queue, and every other field as a place in the frame. Nothing is copied until a command asks.
/// </summary>
internal sealed class CommandFrame
{
    private const int FieldsMax = 64;

    private readonly List<Field> _fields = [];

    public ReadOnlyMemory<byte> Json { get; private init; }

    /// <summary>Who sent it.</summary>
    public required Caller Caller { get; init; }

    /// <summary>The trace context of the request that carries the command; null on connections that last.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The command's word; empty where it is missing.</summary>
    public string Command { get; private set; } = "";

    /// <summary>The raw JSON of <c>ref</c>, to be echoed; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Reference { get; private set; }

    /// <summary>Reads a frame as far as it goes; with a problem, the frame still has the reference where that was readable.</summary>
    public static (CommandFrame Frame, Problem? Problem) Read(ReadOnlyMemory<byte> json, Caller caller, string? traceParent = null)
    {
        var frame = new CommandFrame { Json = json, Caller = caller, TraceParent = traceParent };
        if (JsonBody.WhyNot(json.Span) is { } whyNot)
        {
            return (frame, Problem.BadJson($"The command is not valid JSON: {whyNot}."));
        }

        var reader = new Utf8JsonReader(json.Span, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return (frame, Problem.BadJson("""A command is a JSON object like {"cmd":"take","queue":"test"}."""));
        }

        Problem? problem = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            problem ??= frame.ReadField(ref reader);
            reader.Skip();
        }

        return (frame, problem);
    }

    /// <summary>The field's value as text; the problem where it is no text, or missing although required.</summary>
    public Problem? Text(string name, bool required, out string? text)
    {
        text = null;
        if (!TryFind(name, out var field))
        {
            return required ? Problem.BadOption($"The field '{name}' is missing.") : null;
        }

        var reader = ReaderAt(field);
        if (!JsonText.TryRead(ref reader, out var value))
        {
            return Problem.BadOption($"The field '{name}' must be a string or a number.");
        }

        text = value;
        return null;
    }

    /// <summary>Every field's name, in the order in which they came.</summary>
    public IEnumerable<string> Names => _fields.Select(static known => known.Name);

    public bool Has(string name) => TryFind(name, out _);

    /// <summary>A field's raw JSON; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Raw(string name) => TryFind(name, out var field) ? Json.Slice(field.Start, field.Length) : default;

    /// <summary>A field that is the body of a message.</summary>
    public BodyField Body(string name)
    {
        if (!TryFind(name, out var field))
        {
            return default;
        }

        var reader = ReaderAt(field);
        return BodyField.At(ref reader, field.Start);
    }

    private Utf8JsonReader ReaderAt(Field field)
    {
        var reader = new Utf8JsonReader(Json.Span.Slice(field.Start, field.Length), JsonBody.ReaderOptions);
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

    /// <summary>The reader stands at a name and moves to its value.</summary>
    private Problem? ReadField(ref Utf8JsonReader reader)
    {
        var readable = JsonText.TryReadName(ref reader, out var name);
        reader.Read();
        if (!readable)
        {
            return Problem.BadJson("The name of a field is not valid Unicode.");
        }

        var start = (int)reader.TokenStartIndex;
        if (name == "cmd")
        {
            Command = JsonText.TryRead(ref reader, out var command) ? command : "";
            return null;
        }

        reader.Skip();
        var length = (int)reader.BytesConsumed - start;
        if (name == "ref")
        {
            Reference = Json.Slice(start, length);
            return null;
        }

        if (_fields.Count == FieldsMax)
        {
            return Problem.BadJson($"A command has at most {FieldsMax} fields.");
        }

        _fields.Add(new Field(name, start, length));
        return null;
    }

    private readonly record struct Field(string Name, int Start, int Length);
}
