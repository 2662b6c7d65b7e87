using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>
/// Queue names and ids out of the request target as it was sent. The server's own path has its percent-escapes decoded but for %2F, so
/// that "%2F" and "%252F" look alike in it, and has lost its dot segments.
/// Segments are counted from the end: the API may be mounted under any prefix.
/// </summary>
internal static class RawPath
{
    public static Problem DotSegment { get; } = new(
        ProblemType.BadQueueName, "A name in the path must not be '.' or '..', not even percent-encoded.");

    public static Problem? Queue(HttpContext context, int fromEnd, out QueueName queue)
    {
        queue = default;
        var problem = Segment(context, fromEnd, ProblemType.BadQueueName, out var text);
        if (problem is not null)
        {
            return problem;
        }

        return QueueName.TryParse(text, out queue, out var whyNot)
            ? null
            : new Problem(
                ProblemType.BadQueueName, text.Contains('/') ? "A queue name must not contain '/', not even as %2F." : whyNot);
    }

    public static Problem? Message(HttpContext context, int fromEnd, out MessageId id)
    {
        id = default;
        var problem = Segment(context, fromEnd, ProblemType.BadMessageId, out var text);
        if (problem is not null)
        {
            return problem;
        }

        return MessageId.TryParse(text, out id, out var whyNot) ? null : new Problem(ProblemType.BadMessageId, whyNot);
    }

    /// <summary>Whether the target holds a "." or ".." segment, which the server has resolved before anybody could see it.</summary>
    public static bool HasDotSegment(HttpContext context)
    {
        var path = Path(context);
        foreach (var range in path.Split('/'))
        {
            if (IsDot(path[range]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The start of a link that the client can follow, before the API's own path: the prefix that the API is mounted under, and the one
    /// that a proxy in front has taken off.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="segments">How many segments the API's own path has.</param>
    public static string Prefix(HttpContext context, int segments)
    {
        var path = Path(context).TrimEnd('/');
        for (; segments > 0 && path.LastIndexOf('/') is var slash and >= 0; segments--)
        {
            path = path[..slash];
        }

        return WithBase(context, path);
    }

    /// <summary>The same, where the API's own path begins with a segment of that name.</summary>
    public static string PrefixBefore(HttpContext context, string segment)
    {
        var path = Path(context);
        var start = $"{path}/".IndexOf($"/{segment}/", StringComparison.OrdinalIgnoreCase);
        return WithBase(context, start < 0 ? default : path[..start]);
    }

    private static string WithBase(HttpContext context, ReadOnlySpan<char> prefix)
    {
        var pathBase = context.Request.PathBase.ToUriComponent();
        return prefix.StartsWith(pathBase, StringComparison.OrdinalIgnoreCase) ? prefix.ToString() : string.Concat(pathBase, prefix);
    }

    private static Problem? Segment(HttpContext context, int fromEnd, ProblemType type, out string text)
    {
        text = "";
        var path = Path(context);
        if (path is [.., '/'])
        {
            path = path[..^1];
        }

        var found = ReadOnlySpan<char>.Empty;
        for (var i = 0; i <= fromEnd; i++)
        {
            var slash = path.LastIndexOf('/');
            if (slash < 0)
            {
                return new Problem(type);
            }

            found = path[(slash + 1)..];
            path = path[..slash];
            if (IsDot(found))
            {
                return new Problem(type, "A name in the path must not be '.' or '..'.");
            }
        }

        if (HasDot(path))
        {
            return new Problem(type, "A name in the path must not be '.' or '..'.");
        }

        return PercentCoding.TryDecode(found, plusIsSpace: false, out text)
            ? null
            : new Problem(type, $"'{OptionValues.Shown(found)}' is not valid percent-encoded UTF-8.");
    }

    private static bool HasDot(ReadOnlySpan<char> path)
    {
        // hot path: nearly always only "/q" is left here.
        return path.IndexOfAny('.', '%') >= 0 && HasDotSegmentIn(path);
    }

    private static bool HasDotSegmentIn(ReadOnlySpan<char> path)
    {
        foreach (var range in path.Split('/'))
        {
            if (IsDot(path[range]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsDot(ReadOnlySpan<char> segment) =>
        segment is "." or ".."
        || (segment.Length is >= 3 and <= 6 && PercentCoding.TryDecode(segment, plusIsSpace: false, out var text) && text is "." or "..");

    private static ReadOnlySpan<char> Path(HttpContext context)
    {
        ReadOnlySpan<char> target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (target.IsEmpty)
        {
            target = context.Request.Path.Value;
        }

        var end = target.IndexOfAny('?', '#');
        target = end < 0 ? target : target[..end];
        if (target is not ['/', ..])
        {
            // The absolute form, http://host/path, as proxies send it.
            var authority = target.IndexOf("://", StringComparison.Ordinal);
            var slash = authority < 0 ? -1 : target[(authority + 3)..].IndexOf('/');
            target = slash < 0 ? "/" : target[(authority + 3 + slash)..];
        }

        return target;
    }
}
