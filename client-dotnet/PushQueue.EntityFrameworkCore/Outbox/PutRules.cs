using System.Text;
using System.Text.Json;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// The rules of docs/protocol.md that need no server. A message that breaks one is refused where the program puts it: later, in the
/// forwarder, nobody could repair it.
/// </summary>
internal static class PutRules
{
    private const int NameBytesMax = 255;
    private const int HeadersMax = 32;
    private const int HeaderBytesMax = 4096;
    private const int HeaderNameMax = 64;

    // The server reads JSON that is nested as deeply.
    private const int JsonDepthMax = 512;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(3650);

    /// <exception cref="ArgumentException">The server would refuse the message.</exception>
    public static void Check(string queue, PutMessage message, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(queue);
        ArgumentNullException.ThrowIfNull(message);
        Throw(WhyNotQueue(queue), nameof(queue));
        Throw(WhyNotBody(message) ?? (message.Options is { } options ? WhyNot(options, now) : null), nameof(message));
    }

    private static void Throw(string? reason, string argument)
    {
        if (reason is not null)
        {
            throw new ArgumentException(reason, argument);
        }
    }

    private static string? WhyNotQueue(string queue) =>
        WhyNotName("queue name", queue)
        ?? (queue.Contains('/', StringComparison.Ordinal) ? $"The queue name '{queue}' contains '/'; use '.' to group queues." : null)
        ?? (queue is "." or ".." ? $"The queue name is '{queue}', which addresses cannot contain; give another one." : null);

    private static string? WhyNotBody(PutMessage message) =>
        message.ContentType is not { Length: > 0 and <= NameBytesMax } type || type.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? $"The content type has to be 1 to {NameBytesMax} printable ASCII characters."
            : type == "application/json" && !IsJson(message.Body.Span)
                ? "The content type of the body is application/json, but the body is not valid JSON. Give another content type, or repair "
                    + "the body."
                : null;

    private static string? WhyNot(PutOptions options, DateTimeOffset now) =>
        (options.WaitForAck is not null ? "WaitForAck needs a put that waits; leave it out, or call PutAsync." : null)
        ?? (options is { Delay: not null, At: not null } ? "Delay and At exclude each other; give one of them." : null)
        ?? (options.Delay is { } delay && (delay < TimeSpan.Zero || delay > LongestTime) ? $"Delay is {delay}; give 0 to ten years." : null)
        ?? (options.At is { } at && at - now > LongestTime ? $"At is {at:O}, more than ten years ahead." : null)
        ?? (options.TimeToLive is { } ttl && (ttl <= TimeSpan.Zero || ttl > LongestTime)
            ? $"TimeToLive is {ttl}; give more than zero and at most ten years." : null)
        ?? (options.Priority is < 0 or > 9 ? $"Priority is {options.Priority}; give 0 to 9." : null)
        ?? (options.MaxAttempts is < 1 or > 1000 ? $"MaxAttempts is {options.MaxAttempts}; give 1 to 1000." : null)
        ?? (options.Policy is not (null or "broadcast" or "roundrobin")
            ? $"Policy is '{options.Policy}'; give broadcast or roundrobin." : null)
        ?? WhyNotName("id", options.Id)
        ?? WhyNotName("key", options.Key)
        ?? WhyNotName("unique key", options.UniqueKey)
        ?? (options.Headers is { } headers ? WhyNotHeaders(headers) : null);

    private static string? WhyNotName(string what, string? text) =>
        text is null ? null
        : Utf8Bytes(text) is not { } bytes ? $"The {what} is not valid Unicode: a surrogate stands alone."
        : bytes is 0 or > NameBytesMax ? $"The {what} is {bytes} bytes long; give 1 to {NameBytesMax} bytes."
        : text.AsSpan().ContainsAnyInRange('\0', '\u001f') || text.AsSpan().ContainsAnyInRange('\u007f', '\u009f')
            ? $"The {what} contains a control character; leave it out."
        : null;

    private static string? WhyNotHeaders(IReadOnlyDictionary<string, string> headers)
    {
        if (headers.Count > HeadersMax)
        {
            return $"The message has {headers.Count} headers; the limit is {HeadersMax}.";
        }

        var sum = 0;
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in headers)
        {
            if (name.Length is 0 or > HeaderNameMax
                || name.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"))
            {
                return $"The header name '{name}' has to be 1 to {HeaderNameMax} of a to z, 0 to 9, '.', '_' and '-'.";
            }

            if (!names.Add(name))
            {
                return $"The header '{name}' is given twice: upper case counts as lower case.";
            }

            if (value is null || Utf8Bytes(value) is not { } bytes || value.AsSpan().ContainsAnyInRange('\0', '\u001f')
                || value.AsSpan().ContainsAnyInRange('\u007f', '\u009f'))
            {
                return $"The value of the header '{name}' has to be Unicode text without control characters.";
            }

            sum += name.Length + bytes;
        }

        return sum > HeaderBytesMax ? $"The headers are {sum} bytes long; the limit is {HeaderBytesMax}." : null;
    }

    /// <summary>Null where the text has no UTF-8.</summary>
    private static int? Utf8Bytes(string text)
    {
        try
        {
            return Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            return null;
        }
    }

    private static bool IsJson(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = JsonDepthMax });
        try
        {
            while (reader.Read())
            {
                // Only reads to the end.
            }

            return body.Length > 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
