using System.Text;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;
using PushQueue.Transports.Rest;
using PushQueue.Transports.Streaming;

namespace PushQueue.Dialects.RestMq;

/// <summary>
/// The arguments of a request, from the query string and a form body alike. An empty argument counts as not given, as it always did here;
/// one that is given twice is refused, because which of the two was meant cannot be known.
/// </summary>
internal sealed class RestMqArguments
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>The body where it is not a form; empty where it is a form.</summary>
    public ReadOnlyMemory<byte> RawBody { get; private set; }

    /// <summary>The argument, or null where it was not given.</summary>
    public string? this[string name] => _values.GetValueOrDefault(name);

    public static (RestMqArguments Arguments, Problem? Problem) FromQuery(HttpContext context)
    {
        var arguments = new RestMqArguments();
        return (arguments, arguments.AddQuery(context));
    }

    /// <param name="context">The request.</param>
    /// <param name="messageBytesMax">A form may be three times its field, for every byte of it may be percent-encoded.</param>
    public static async ValueTask<(RestMqArguments Arguments, Problem? Problem)> ReadAsync(HttpContext context, int messageBytesMax)
    {
        var (arguments, problem) = FromQuery(context);
        if (problem is not null)
        {
            return (arguments, problem);
        }

        var (body, bodyProblem) = await RequestBody.ReadAsync(
            context, (int)Math.Min((3L * messageBytesMax) + 64 * 1024, int.MaxValue), ProblemType.MessageTooLarge);
        return (arguments, bodyProblem ?? arguments.AddBody(context.Request.ContentType, body));
    }

    private Problem? AddQuery(HttpContext context) => Add(Encoding.UTF8.GetBytes(context.Request.QueryString.Value?.TrimStart('?') ?? ""));

    private Problem? AddBody(string? contentType, byte[] body)
    {
        // A body of "curl -d" claims to be a form whatever it is; a form never begins like JSON.
        if (contentType is not null && ContentTypes.IsForm(contentType)
            && body.AsSpan().TrimStart(" \t\r\n"u8) is not [(byte)'{' or (byte)'[', ..])
        {
            return Add(body);
        }

        RawBody = body;
        return null;
    }

    private Problem? Add(ReadOnlySpan<byte> form)
    {
        foreach (var range in form.Split((byte)'&'))
        {
            var pair = form[range];
            var equals = pair.IndexOf((byte)'=');
            if (equals <= 0 || equals == pair.Length - 1)
            {
                continue;
            }

            string name, value;
            try
            {
                name = StrictUtf8.GetString(FormBody.Decode(pair[..equals]));
                value = StrictUtf8.GetString(FormBody.Decode(pair[(equals + 1)..]));
            }
            catch (ArgumentException)
            {
                // The encoding has no other way to say no.
                return Problem.BadOption("An argument is not valid UTF-8; send text as UTF-8, percent-encoded.");
            }

            if (!_values.TryAdd(name, value) && !LastEventId.IsParameter(name))
            {
                return Problem.BadOption($"The argument '{OptionValues.Shown(name)}' is given twice; give it once.");
            }
        }

        return null;
    }

    /// <summary>The queue that an argument names.</summary>
    public Problem? Queue(out QueueName queue)
    {
        queue = default;
        return this["queue"] is not { } text ? Problem.BadOption("The argument 'queue' is missing; send queue=NAME.")
            : QueueName.TryParse(text, out queue, out var whyNot) ? null
            : new Problem(ProblemType.BadQueueName, whyNot);
    }

    /// <summary>A message to put: <c>msg</c>, or else <c>value</c>, dropped after <c>ttl</c> seconds where that is given.</summary>
    public Problem? Message(out NewMessage? message)
    {
        message = null;
        if ((this["msg"] ?? this["value"]) is not { } text)
        {
            return Problem.BadOption(
                "The arguments 'value' and 'msg' are both missing; send value=TEXT as a form (application/x-www-form-urlencoded).");
        }

        TimeSpan? timeToLive = null;
        if (this["ttl"] is { } ttl)
        {
            if (!ttl.All(static c => char.IsAsciiDigit(c) || c == '.')
                || OptionValues.Duration("ttl", ttl, TimeSpan.FromTicks(1), Duration.Longest, out var time) is not null)
            {
                return Problem.BadOption($"The argument 'ttl' is '{OptionValues.Shown(ttl)}'; give a number of seconds above 0.");
            }

            timeToLive = time;
        }

        message = new NewMessage { Body = Encoding.UTF8.GetBytes(text), ContentType = ContentTypes.Text, TimeToLive = timeToLive };
        return null;
    }
}
