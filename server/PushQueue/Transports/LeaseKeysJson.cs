using System.Text.Json;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports;

/// <summary>Lists of leases, <c>[{"id":"1","receipt":"…"}]</c>, and the results of settling them.</summary>
internal static class LeaseKeysJson
{
    /// <summary>A list of ids of the longest kind; ten thousand of the usual ones fit.</summary>
    public const int BytesMax = 4 * 1024 * 1024;

    private const int CountMax = 10_000;

    public static Problem? Read(ReadOnlySpan<byte> json, out List<LeaseKey> keys)
    {
        keys = [];
        json = BodyKinds.SkipMark(json);
        if (JsonBody.WhyNot(json) is { } whyNot)
        {
            return Problem.BadJson($"The body is not valid JSON: {whyNot}.");
        }

        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return Wrong(1);
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (keys.Count == CountMax)
            {
                return new Problem(ProblemType.BatchTooLarge, $"Send at most {CountMax} leases in one request.");
            }

            if (ReadKey(ref reader, keys.Count + 1, out var key) is { } problem)
            {
                return problem;
            }

            keys.Add(key);
        }

        return null;
    }

    public static LeaseResultContract[] Results(List<LeaseKey> keys, IReadOnlyList<QueueError> errors)
    {
        var results = new LeaseResultContract[keys.Count];
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = errors[i] == QueueError.None
                ? new LeaseResultContract(keys[i].Id, Ok: true, Error: null)
                : new LeaseResultContract(keys[i].Id, Ok: false, ProblemDetailsMapper.TypeOf(errors[i]).Name);
        }

        return results;
    }

    private static Problem? ReadKey(ref Utf8JsonReader reader, int number, out LeaseKey key)
    {
        key = default;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return Wrong(number);
        }

        MessageId? id = null;
        var receipt = default(Receipt);
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (!JsonText.TryRead(ref reader, out var value))
            {
                return Wrong(number);
            }

            switch (name)
            {
                case "id":
                    if (!MessageId.TryParse(value, out var parsed, out var whyNot))
                    {
                        return new Problem(ProblemType.BadMessageId, whyNot);
                    }

                    id = parsed;
                    break;
                case "receipt":
                    if (OptionValues.Receipt(value, out receipt) is { } problem)
                    {
                        return problem;
                    }

                    break;
                default:
                    return OptionValues.Unknown(name, "id, receipt");
            }
        }

        if (fields.Problem is { } twice)
        {
            return twice;
        }

        key = new LeaseKey(id.GetValueOrDefault(), receipt);
        return id is null || receipt.IsNone ? Wrong(number) : null;
    }

    private static Problem Wrong(int number) =>
        Problem.BadJson($$"""Element {{number}} is wrong; send a list like [{"id":"12","receipt":"0123456789abcdef"}].""");
}
