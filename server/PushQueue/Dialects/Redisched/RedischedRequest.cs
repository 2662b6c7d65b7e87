using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;
using PushQueue.Transports.Rest;

namespace PushQueue.Dialects.Redisched;

/// <summary>Answers a request whose body has been read.</summary>
internal delegate ValueTask<JsonError?> RedischedHandler(HttpContext context, RedischedRequest request);

/// <summary>One request: the topic in its path and the JSON object in its body. To be disposed.</summary>
internal sealed class RedischedRequest : IDisposable
{
    /// <summary>Room for the fields around the body of a job, and for escapes within it.</summary>
    private const int FrameBytesMax = 64 * 1024;

    private readonly JsonDocument _document;

    private RedischedRequest(QueueName topic, JsonDocument document)
    {
        Topic = topic;
        _document = document;
    }

    public QueueName Topic { get; }

    /// <summary>Reads the request and lets it be answered, or answers what is wrong with it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="topicFromEnd">Where in the path the topic stands, counted from its end.</param>
    /// <param name="bytesMax">The largest body of a job.</param>
    /// <param name="handler">Answers the request.</param>
    public static async ValueTask<JsonError?> HandleAsync(HttpContext context, int topicFromEnd, int bytesMax, RedischedHandler handler)
    {
        var (request, error) = await ReadAsync(context, topicFromEnd, bytesMax);
        using (request)
        {
            return request is null ? error : await handler(context, request);
        }
    }

    private static async ValueTask<(RedischedRequest? Request, JsonError? Error)> ReadAsync(
        HttpContext context, int topicFromEnd, int bytesMax)
    {
        if (RawPath.Queue(context, topicFromEnd, out var topic) is { } nameProblem)
        {
            return (null, JsonError.Of(nameProblem));
        }

        var (body, problem) = await RequestBody.ReadAsync(
            context, (int)Math.Min((2L * bytesMax) + FrameBytesMax, int.MaxValue), ProblemType.MessageTooLarge);
        if (problem is not null)
        {
            return (null, JsonError.Of(problem));
        }

        var json = JsonBody.SkipMark(body);
        if (WhyNot(json.Span) is { } whyNot)
        {
            return (null, JsonError.BadRequest(whyNot));
        }

        return (new RedischedRequest(topic, JsonDocument.Parse(json, JsonBody.DocumentOptions)), null);
    }

    /// <summary>Null for a JSON object that has no field twice.</summary>
    private static string? WhyNot(ReadOnlySpan<byte> json)
    {
        if (JsonBody.WhyNot(json) is { } broken)
        {
            return $"The body must be a JSON object; it is not JSON: {broken}.";
        }

        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return "The body must be a JSON object.";
        }

        var fields = default(JsonFields);
        while (fields.Next(ref reader, out _))
        {
            reader.Skip();
        }

        return fields.Problem?.Sentence;
    }

    /// <summary>The client's id: a string, or a whole number, which is the same as its digits.</summary>
    public JsonError? Id(out MessageId id)
    {
        id = default;
        if (!TryField("id", out var value))
        {
            return JsonError.BadRequest("The field 'id' is missing; give the job's id.");
        }

        if (!TryText(value, out var text) || (value.ValueKind != JsonValueKind.String && !value.TryGetInt64(out _)))
        {
            return JsonError.BadRequest("The field 'id' must be a string or a whole number.");
        }

        return MessageId.TryParse(text, out id, out var whyNot) ? null : JsonError.BadRequest(whyNot);
    }

    /// <summary>A string is a text; anything else is kept as the JSON that it is.</summary>
    public JsonError? Body(string name, out byte[] body, out string contentType)
    {
        (body, contentType) = ([], ContentTypes.Json);
        if (!_document.RootElement.TryGetProperty(name, out var value))
        {
            return JsonError.BadRequest($"The field '{name}' is missing; give what the job is to carry.");
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            body = JsonText.Raw(value).ToArray();
            return null;
        }

        contentType = ContentTypes.Text;
        if (!TryText(value, out var text))
        {
            return JsonError.BadRequest($"The field '{name}' is not valid Unicode.");
        }

        body = Encoding.UTF8.GetBytes(text);
        return null;
    }

    /// <summary>Null where it is missing or null.</summary>
    public JsonError? Time(string name, out DateTimeOffset? time, out bool inSeconds)
    {
        inSeconds = false;
        time = null;
        if (Number(name, out var number) is { } error)
        {
            return error;
        }

        if (number is not { } value)
        {
            return null;
        }

        if (!RedischedTime.TryRead(value, out var given, out inSeconds))
        {
            return JsonError.BadRequest(
                $"The field '{name}' must be a time: {RedischedTime.Form}, not before 1970 and before the year 9999.");
        }

        time = given;
        return null;
    }

    /// <summary>Null where it is missing or null.</summary>
    public JsonError? Number(string name, out decimal? number)
    {
        number = null;
        if (!TryField(name, out var value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDecimal(out var given))
        {
            return JsonError.BadRequest($"The field '{name}' must be a number of a sensible size.");
        }

        number = given;
        return null;
    }

    /// <summary>Null where it is missing, null or no string.</summary>
    public string? Text(string name) =>
        TryField(name, out var value) && value.ValueKind == JsonValueKind.String && TryText(value, out var text) ? text : null;

    public void Dispose() => _document.Dispose();

    private bool TryField(string name, out JsonElement value) =>
        _document.RootElement.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private static bool TryText(JsonElement value, out string text)
    {
        text = "";
        return value.ValueKind is JsonValueKind.String or JsonValueKind.Number && JsonText.TryRead(value, out text);
    }
}
