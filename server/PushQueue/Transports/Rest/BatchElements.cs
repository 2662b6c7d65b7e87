using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>
/// Collects the messages of a batch. Each element is copied once, into an array of its own: a slice of the request's buffer would keep
/// the whole buffer alive as long as its last message.
/// </summary>
internal sealed class BatchElements(PutOptions defaults, bool envelopes, int bytesMax, int countMax, TimeProvider time)
{
    private const string EnvelopeNames = "body, contentType, encoding, headers, " + PutOptions.Names;

    /// <summary>
    /// The fields of an envelope that only report. They are ignored, so that the envelopes of a take or a look can be put as they came.
    /// </summary>
    private static readonly HashSet<string> OutputOnly = new(StringComparer.Ordinal)
    {
        "queue", "offset", "attempt", "receipt", "leasedUntil", "enqueuedAt", "state", "availableAt", "expiresAt", "lastError",
            "lastWorker", "looks",
        "deadLetter",
    };

    private readonly List<NewMessage> _messages = [];

    public IReadOnlyList<NewMessage> Messages => _messages;

    /// <summary>An element longer than this cannot become a message, whatever it holds: escapes take up to six bytes for one.</summary>
    public int ElementBytesMax => envelopes ? (int)Math.Min(int.MaxValue, (bytesMax * 6L) + (64 * 1024)) : bytesMax;

    /// <summary>Whether it holds as many messages as it may.</summary>
    public bool IsFull => _messages.Count == countMax;

    /// <param name="element">One valid JSON value.</param>
    /// <param name="where">Where it stands, for the problem: "Line 3".</param>
    public Problem? Add(ReadOnlySpan<byte> element, BatchPlace where)
    {
        if (IsFull)
        {
            return new Problem(
                ProblemType.BatchTooLarge, $"A batch may contain {countMax} messages; send the rest in another batch. Nothing was stored.");
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
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (ReadField(ref reader, name, ref options, ref body, ref contentType, ref encoding) is { } problem)
            {
                return At(where, problem);
            }
        }

        if (fields.Problem is { } twice)
        {
            return At(where, twice);
        }

        if (!body.Given)
        {
            return At(where, Problem.BadJson("the field 'body' is missing"));
        }

        var (bytes, type) = (default(byte[]), contentType ?? ContentTypes.Binary);
        Problem? wrong;
        if (encoding is null)
        {
            wrong = body.Read(element, ref contentType, out bytes);
            type = contentType!;
        }
        else
        {
            wrong = body.ReadEncoded(element, encoding, out bytes);
        }

        if (wrong is not null)
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
        ref Utf8JsonReader reader, string name, ref PutOptions options, ref BodyField body, ref string? contentType, ref string? encoding)
    {
        if (name == "body")
        {
            body = BodyField.At(ref reader);
            return null;
        }

        if (name == "headers")
        {
            var wrong = MessageHeadersJson.Read(ref reader, out var headers);
            options.Headers = headers ?? options.Headers;
            return wrong;
        }

        if (OutputOnly.Contains(name))
        {
            reader.Skip();
            return null;
        }

        if (JsonText.Read(ref reader, name, out var value) is { } unreadable)
        {
            return unreadable;
        }

        if (name == "encoding")
        {
            encoding = value;
            return null;
        }

        if (name == "contentType")
        {
            return value is null ? null : ContentTypes.Check(value, out contentType);
        }

        if (value is null)
        {
            return PutOptions.Has(name) ? null : OptionValues.Unknown(name, EnvelopeNames);
        }

        var problem = options.Set(name, value, time, out var known);
        return known ? problem : OptionValues.Unknown(name, EnvelopeNames);
    }

    private static Problem At(BatchPlace where, Problem problem) =>
        problem with { Detail = $"{where}: {problem.Sentence.TrimEnd('.')}. Nothing was stored." };
}
