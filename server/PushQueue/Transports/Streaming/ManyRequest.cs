using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Streaming;

/// <summary>The queues and the options of a request for a stream over many queues, checked.</summary>
/// <param name="Selection">The queues.</param>
/// <param name="Options">The options, the same for each queue.</param>
internal sealed record ManyRequest(QueueSelection Selection, ConsumerOptions Options)
{
    private SetCursor? _cursor;

    private const string QueueParameter = "queue";
    private const string MatchParameter = "match";

    /// <summary>Whether a request without a queue in its path names queues.</summary>
    public static bool IsIn(HttpRequest request) =>
        request.Query.ContainsKey(QueueParameter) || request.Query.ContainsKey(MatchParameter);

    public static ManyRequest? Read(HttpRequest request, out Problem? problem)
    {
        var reader = new ConsumerOptionsReader(isOverMany: true);
        problem = StreamRequest.ReadOptions(request, reader, QueueParameter, MatchParameter) is { } wrong ? Problem.BadOption(wrong) : null;
        return problem is null ? Of([.. request.Query[QueueParameter]], [.. request.Query[MatchParameter]], reader, out problem) : null;
    }

    /// <summary>
    /// Where to resume; null if the options say where to begin. Given once, because the request lives as long as its stream, and a cursor
    /// may take more memory than the rest of it.
    /// </summary>
    public SetCursor? TakeCursor() => Interlocked.Exchange(ref _cursor, null);

    /// <param name="names">Names of queues.</param>
    /// <param name="patterns">Patterns of names.</param>
    /// <param name="reader">The options.</param>
    /// <param name="problem">The error in the options.</param>
    public static ManyRequest? Of(
        IReadOnlyList<string?> names, IReadOnlyList<string?> patterns, ConsumerOptionsReader reader, out Problem? problem)
    {
        problem = reader.Error is { } error ? Problem.BadOption(error) : null;
        if (problem is not null)
        {
            return null;
        }

        var selection = QueueSelection.Create(names, patterns, out var whyNot);
        problem = selection is null ? Problem.BadOption(whyNot)
            : reader.Cursor is { } cursor && cursor.Selection != selection.Id
                ? Problem.BadOption(
                    "The cursor belongs to a stream over other queues; give the same names and patterns as that stream, or no cursor.")
            : null;
        return problem is null ? new ManyRequest(selection!, reader.Options) { _cursor = reader.Cursor } : null;
    }
}
