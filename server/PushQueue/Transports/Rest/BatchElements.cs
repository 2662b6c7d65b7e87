using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>
/// Collects the messages of a batch. Each element is copied once, into an array of its own: a slice of the request's buffer would keep
/// the whole buffer alive as long as its last message.
/// </summary>
internal sealed class BatchElements(PutOptions defaults, bool envelopes, int bytesMax, int countMax, TimeProvider time)
{
    private const string EnvelopeNames = "body, contentType, encoding, " + PutOptions.Names;

    private readonly List<NewMessage> _messages = [];

    public IReadOnlyList<NewMessage> Messages => _messages;

    /// <summary>An element longer than this cannot become a message, whatever it holds; base64 takes four bytes for three.</summary>
    public int ElementBytesMax => envelopes ? (int)Math.Min(int.MaxValue, (bytesMax / 3L * 4) + (64 * 1024)) : bytesMax;

    /// <summary>Whether it holds as many messages as it may.</summary>
    public bool IsFull => _messages.Count == countMax;

    /// <param name="element">One valid JSON value.</param>
    /// <param name="where">Where it stands, for the problem: "Line 3".</param>
    public Problem? Add(ReadOnlySpan<byte> element, BatchPlace where)
    {
        if (IsFull)
        {
            return new Problem(ProblemType.BatchTooLarge, $"A batch may hold {countMax} messages; send the rest in another one. Nothing was stored.");
        }

        if (envelopes)
        {
            return AddEnvelope(element, where);
        }

        if (element.Length > bytesMax)
        {
            return TooLarge(where, element.Length);
        }

        _messages.Add(defaults.ToMessage(element.ToArray(), ContentTypes.Json));
        return null;
    }

    public Problem TooLarge(BatchPlace where, long bytes) => new(
        ProblemType.MessageTooLarge,
        $"{where}: the message has {(bytes < 0 ? "" : $"{bytes} bytes, ")}more than the allowed {bytesMax}. Nothing was stored.");

    private Problem? AddEnvelope(ReadOnlySpan<byte> element, BatchPlace where)
    {
        var reader = new Utf8JsonReader(element, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return At(where, Problem.BadJson("""with envelope=true each element is an object like {"body":…,"id":…}"""));
        }

        var options = defaults.AsDefaults();
        var body = default(BodyField);
        var (contentType, encoding) = (default(string), default(string));
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (ReadField(ref reader, ref options, ref body, ref contentType, ref encoding) is { } problem)
            {
                return At(where, problem);
            }
        }

        if (!body.Given)
        {
            return At(where, Problem.BadJson("the field 'body' is missing"));
        }

        var (bytes, type) = (default(byte[]), contentType ?? ContentTypes.Binary);
        if (encoding is null)
        {
            (bytes, type) = body.Read(element, contentType);
        }
        else if (body.ReadEncoded(element, encoding, out bytes) is { } wrong)
        {
            return At(where, wrong);
        }

        if (bytes.Length > bytesMax)
        {
            return TooLarge(where, bytes.Length);
        }

        _messages.Add(options.ToMessage(bytes, type));
        return null;
    }

    private Problem? ReadField(
        ref Utf8JsonReader reader, ref PutOptions options, ref BodyField body, ref string? contentType, ref string? encoding)
    {
        if (reader.ValueTextEquals("body"u8))
        {
            reader.Read();
            body = BodyField.At(ref reader);
            return null;
        }

        _ = JsonText.TryReadName(ref reader, out var name);
        reader.Read();
        if (!JsonText.TryRead(ref reader, out var value))
        {
            return Problem.BadOption($"The field '{OptionValues.Shown(name)}' must be a string or a number.");
        }

        if (name == "encoding")
        {
            encoding = value;
            return null;
        }

        if (name == "contentType")
        {
            return ContentTypes.Check(value, out contentType);
        }

        var problem = options.Set(name, value, time, out var known);
        return known ? problem : OptionValues.Unknown(name, EnvelopeNames);
    }

    private static Problem At(BatchPlace where, Problem problem) =>
        problem with { Detail = $"{where}: {problem.Sentence.TrimEnd('.')}. Nothing was stored." };
}
