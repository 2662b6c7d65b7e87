using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Transports.Streaming;

/// <summary>The queue and the options of a request for a stream, checked.</summary>
internal sealed record StreamRequest(QueueName Queue, ConsumerOptions Options)
{
    // Credentials that browsers can only put into the URL, and the cache busters of EventSource polyfills.
    private static readonly HashSet<string> NotOurs = new(StringComparer.Ordinal) { "access_token", "_", "t", "r" };

    private const string PolyfillPrefix = "evs_";

    public static StreamRequest? Read(HttpContext context, out QueueError error, out string? detail)
    {
        error = QueueError.BadQueueName;
        if (RawPath.Queue(context, 0, out var queue) is { } problem)
        {
            detail = problem.Sentence;
            return null;
        }

        var options = ReadOptions(context.Request, out detail);
        error = options is null ? QueueError.BadOption : QueueError.None;
        return options is null ? null : new StreamRequest(queue, options);
    }

    /// <summary>The sentence about an option that a stream without options was given; null without such an option.</summary>
    /// <param name="request">The request.</param>
    /// <param name="advice">The end of the sentence: what to do.</param>
    public static string? WhyNoOptions(HttpRequest request, string advice)
    {
        foreach (var (name, _) in request.Query)
        {
            if (!IsNotOurs(name))
            {
                return $"There is no option '{OptionValues.Shown(name)}' here; {advice}.";
            }
        }

        return null;
    }

    private static bool IsNotOurs(string name) =>
        NotOurs.Contains(name) || name.StartsWith(PolyfillPrefix, StringComparison.Ordinal) || LastEventId.IsParameter(name);

    public static ConsumerOptions? ReadOptions(HttpRequest request, out string? detail)
    {
        var reader = new ConsumerOptionsReader();
        detail = ReadOptions(request, reader);
        return detail is null ? reader.Options : null;
    }

    /// <summary>Null, or what is wrong.</summary>
    /// <param name="request">The request.</param>
    /// <param name="reader">Gets the options.</param>
    /// <param name="own">Parameters that are no options, which may be repeated.</param>
    public static string? ReadOptions(HttpRequest request, ConsumerOptionsReader reader, params ReadOnlySpan<string> own)
    {
        // The framework leaves what it cannot decode as it stands, which would make other names and values of it.
        if (!PercentCoding.TryDecode(request.QueryString.Value, plusIsSpace: true, out _))
        {
            return "The query is not valid percent-encoded UTF-8.";
        }

        if (LastEventId.Of(request) is { } lastEventId)
        {
            reader.Read("lastEventId", lastEventId);
        }

        foreach (var (name, values) in request.Query)
        {
            if (own.Contains(name) || IsNotOurs(name))
            {
                continue;
            }

            if (values.Count > 1 && !OptionValues.MayRepeat(name))
            {
                return $"The option '{OptionValues.Shown(name)}' is given twice; give it once.";
            }

            foreach (var value in values)
            {
                reader.Read(name, value);
            }
        }

        return reader.Error;
    }
}
