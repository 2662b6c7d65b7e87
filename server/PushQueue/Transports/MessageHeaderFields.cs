using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>
/// The headers of a message as HTTP header fields: <c>PushQueue-Header-NAME: value</c>. A value that is not printable ASCII is written as
/// RFC 8187 does: <c>UTF-8''na%C3%AFve</c>. Percent-encoding without that mark would change values such as a URL on their way.
/// </summary>
internal static class MessageHeaderFields
{
    private const string Prefix = "PushQueue-Header-";

    private const string ExtendedMark = "UTF-8''";

    /// <summary>Reads the headers of a put.</summary>
    /// <param name="request">The request.</param>
    /// <param name="headers">Null if the request has none.</param>
    public static Problem? Read(HttpRequest request, out MessageHeaders? headers)
    {
        headers = null;
        return HasOnlyUsual(request.Headers) ? null : ReadAll(request.Headers, out headers);
    }

    public static void Write(IHeaderDictionary fields, MessageHeaders? headers)
    {
        if (headers is null)
        {
            return;
        }

        foreach (var header in headers)
        {
            var field = Prefix + header.NameText;
            fields[field] = Encode(header.ValueText);
            if (fields.AccessControlExposeHeaders.Count > 0)
            {
                // A page of another origin may read the fields that are named only.
                fields.AccessControlExposeHeaders = StringValues.Concat(fields.AccessControlExposeHeaders, field);
            }
        }
    }

    /// <summary>
    /// Whether all fields are among those that clients usually send. A walk over the fields allocates; counting the usual ones does not, so
    /// a put without headers of its own costs nothing more.
    /// </summary>
    private static bool HasOnlyUsual(IHeaderDictionary fields)
    {
        var usual = One(fields.Host) + One(fields.ContentType) + One(fields.UserAgent) + One(fields.Accept) + One(fields.Authorization)
            + One(fields.TraceParent) + One(fields.AcceptEncoding) + One(fields.Connection) + One(fields.TransferEncoding)
            + One(fields.Origin) + One(fields.Expect) + One(fields.TraceState);
        return fields.Count == usual + (fields.ContentLength is null ? 0 : 1);

        static int One(StringValues value) => value.Count > 0 ? 1 : 0;
    }

    private static Problem? ReadAll(IHeaderDictionary fields, out MessageHeaders? headers)
    {
        headers = null;
        MessageHeadersBuilder? builder = null;
        foreach (var (field, values) in fields)
        {
            if (!field.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            var name = field[Prefix.Length..];
            if (values.Count != 1)
            {
                return Problem.BadOption($"The header '{OptionValues.Shown(name)}' is given {values.Count} times; give it once.");
            }

            if (Decode(name, values[0] ?? "", out var value) is { } unreadable)
            {
                return unreadable;
            }

            if ((builder ??= new MessageHeadersBuilder()).Add(name, value) is { } whyNot)
            {
                return Problem.BadOption(whyNot);
            }
        }

        headers = builder?.Build();
        return null;
    }

    private static Problem? Decode(string name, string raw, out string value)
    {
        value = raw;
        if (raw.StartsWith(ExtendedMark, StringComparison.OrdinalIgnoreCase))
        {
            return PercentCoding.TryDecode(raw.AsSpan(ExtendedMark.Length), plusIsSpace: false, out value)
                ? null
                : Problem.BadOption(
                    $"The value of the header '{OptionValues.Shown(name)}' begins with {ExtendedMark}, but is not percent-encoded UTF-8 "
                        + "(RFC 8187).");
        }

        if (Ascii.IsValid(raw))
        {
            return null;
        }

        // The server gives a character per byte.
        var bytes = Encoding.Latin1.GetBytes(raw);
        if (raw.Any(static c => c > byte.MaxValue))
        {
            // A host that decodes header fields by itself.
            return null;
        }

        if (!Utf8.IsValid(bytes))
        {
            return Problem.BadOption(
                $"The value of the header '{OptionValues.Shown(name)}' is not UTF-8; send UTF-8, or percent-encoded UTF-8 behind "
                    + $"{ExtendedMark}.");
        }

        value = Encoding.UTF8.GetString(bytes);
        return null;
    }

    private static string Encode(string value)
    {
        var isPlain = value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0
            && !value.StartsWith(' ')
            && !value.EndsWith(' ')
            && !value.StartsWith(ExtendedMark, StringComparison.OrdinalIgnoreCase);
        return isPlain ? value : ExtendedMark + Uri.EscapeDataString(value);
    }
}
