using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;

namespace PushQueue.Dialects.RestMq;

/// <summary>
/// <c>POST /queue</c>: the JSON protocol. A mistake in a command is told in its answer; a body that is not a command is a 400.
/// </summary>
internal sealed class RestMqCommands(IMessageBroker broker, AccessControl access)
{
    /// <summary>All permissions that commands may need, each command its own.</summary>
    public const Permissions AllPermissions = Permissions.Put | Permissions.Take | Permissions.Listen | Permissions.Manage;

    private const string Empty = "empty queue";

    private const string Help = """
        <!DOCTYPE html>
        <html><head><meta charset="utf-8"><title>JSON protocol</title></head><body>
        <h1>JSON protocol</h1>
        <p>POST a JSON object here, as the raw body or in the form field <code>body</code> or <code>msg</code>.</p>
        <ul>
        <li><code>{"cmd":"add","queue":"test","value":"foobar"}</code> puts a message.</li>
        <li><code>{"cmd":"get","queue":"test"}</code> looks at the next message and counts the look.</li>
        <li><code>{"cmd":"take","queue":"test"}</code> takes the next message.</li>
        <li><code>{"cmd":"del","queue":"test","key":"test:1"}</code> deletes a message by its key.</li>
        </ul>
        </body></html>
        """;

    public static Task HelpAsync(HttpContext context) => RestMqAnswers.PageAsync(context, Help);

    public async Task ExecuteAsync(HttpContext context)
    {
        // Each byte of a message may have been escaped to six.
        var (arguments, problem) = await RestMqArguments.ReadAsync(context, broker.MessageBytesMax * 2);
        problem = Problem.First(problem, RestMqCallback.Read(arguments, out var callback));
        if (problem is not null)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        var json = (arguments["body"] ?? arguments["msg"]) is { } field ? Encoding.UTF8.GetBytes(field) : arguments.RawBody;
        json = JsonBody.SkipMark(json);
        if (WhyNot(json.Span) is { } whyNot)
        {
            await RestMqAnswers.RefuseAsync(context, Problem.BadJson(whyNot));
            return;
        }

        using var command = JsonDocument.Parse(json, JsonBody.DocumentOptions);
        await ExecuteAsync(context, callback, command.RootElement);
    }

    /// <summary>Null for a JSON object with a <c>cmd</c> and no name twice.</summary>
    private static string? WhyNot(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty)
        {
            return "The command is missing; send a JSON object as the body, or in the form field 'body' or 'msg'.";
        }

        if (JsonBody.WhyNot(json) is { } broken)
        {
            return $"The command is not valid JSON: {broken}.";
        }

        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return "The command must be a JSON object.";
        }

        var fields = default(JsonFields);
        var hasCommand = false;
        while (fields.Next(ref reader, out var name))
        {
            hasCommand |= name == "cmd";
            reader.Skip();
        }

        return fields.Problem?.Sentence ?? (hasCommand ? null : "The field 'cmd' is missing; it is add, get, take or del.");
    }

    private Task ExecuteAsync(HttpContext context, RestMqCallback callback, JsonElement command)
    {
        if (!TryText(command, "cmd", out var word))
        {
            return ErrorAsync(context, callback, "cmd must be a string");
        }

        if (word is not ("add" or "get" or "take" or "del"))
        {
            return ErrorAsync(context, callback, "null resultset");
        }

        if (!TryText(command, "queue", out var name))
        {
            return ErrorAsync(context, callback, "queue is missing, or is not a string");
        }

        if (!QueueName.TryParse(name, out var queue, out var whyNot))
        {
            return ErrorAsync(context, callback, whyNot);
        }

        return access.CallerOf(context).WhyNot(Needs(word), queue) is { } refusal
            ? ErrorAsync(context, callback, refusal)
            : word switch
        {
            "add" => AddAsync(context, callback, queue, command),
            "get" => GetAsync(context, callback, queue),
            "take" => TakeAsync(context, callback, queue),
            _ => DeleteAsync(context, callback, queue, command),
        };
    }

    /// <summary>As the native commands: to look, and to delete a message that was not taken, several permissions will do.</summary>
    private static Permissions Needs(string word) => word switch
    {
        "add" => Permissions.Put,
        "get" => Security.AccessRule.Look.AnyOf,
        "take" => Permissions.Take,
        _ => Security.AccessRule.Cancel.AnyOf,
    };

    private async Task AddAsync(HttpContext context, RestMqCallback callback, QueueName queue, JsonElement command)
    {
        if (!command.TryGetProperty("value"u8, out var value))
        {
            await ErrorAsync(context, callback, "value is missing");
            return;
        }

        var text = "";
        if (value.ValueKind == JsonValueKind.String && !TryText(command, "value", out text))
        {
            await ErrorAsync(context, callback, "value is not valid Unicode");
            return;
        }

        // A text is the message; whatever else is kept as its JSON.
        var message = value.ValueKind == JsonValueKind.String
            ? new NewMessage { Body = Encoding.UTF8.GetBytes(text), ContentType = ContentTypes.Text }
            : new NewMessage { Body = JsonText.Raw(value).ToArray(), ContentType = ContentTypes.Json };
        var result = await broker.PutAsync(queue, message);
        await (!result.Ok
            ? ErrorAsync(context, callback, ProblemDetailsMapper.ToProblem(result))
            : RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("queue"u8, queue.Value);
            json.WritePropertyName("value"u8);
            json.WriteRawValue(JsonText.Raw(value)); // as it came: half a surrogate pair inside could not be written again
            json.WriteString("key"u8, RestMqAnswers.Key(queue, result.Value.Id));
            json.WriteEndObject();
        }));
    }

    private async Task GetAsync(HttpContext context, RestMqCallback callback, QueueName queue)
    {
        var message = await broker.LookAsync(queue);
        await (message is null ? ErrorAsync(context, callback, Empty) : AnswerAsync(context, callback, message, message.Looks));
    }

    private async Task TakeAsync(HttpContext context, RestMqCallback callback, QueueName queue)
    {
        var result = await broker.TakeAsync(queue, RestMqQueues.EvenWhenStopped(context), context.RequestAborted);
        await (!result.Ok ? ErrorAsync(context, callback, ProblemDetailsMapper.ToProblem(result))
            : result.Value.Count == 0 ? ErrorAsync(context, callback, Empty)
            : AnswerAsync(context, callback, result.Value[0], looks: null));
    }

    private async Task DeleteAsync(HttpContext context, RestMqCallback callback, QueueName queue, JsonElement command)
    {
        if (!TryText(command, "key", out var key))
        {
            await ErrorAsync(context, callback, "key is missing, or is not a string");
            return;
        }

        var deleted = false;
        if (key.StartsWith(queue.Value + ":", StringComparison.Ordinal)
            && MessageId.TryParse(key[(queue.Value.Length + 1)..], out var id, out _))
        {
            var result = await broker.CancelAsync(queue, id);
            if (!result.Ok)
            {
                await ErrorAsync(context, callback, ProblemDetailsMapper.ToProblem(result));
                return;
            }

            deleted = result.Value;
        }

        await RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("queue"u8, queue.Value);
            json.WriteString("key"u8, key);
            json.WriteBoolean("deleted"u8, deleted);
            json.WriteEndObject();
        });
    }

    private static Task AnswerAsync(HttpContext context, RestMqCallback callback, Message message, int? looks) =>
        RestMqAnswers.JsonAsync(context, callback, json =>
        {
            json.WriteStartObject();
            json.WriteString("queue"u8, message.Queue.Value);
            json.WriteString("value"u8, RestMqAnswers.Value(message));
            json.WriteString("key"u8, RestMqAnswers.Key(message));
            if (looks is { } count)
            {
                json.WriteNumber("count"u8, count);
            }

            json.WriteEndObject();
        });

    private static Task ErrorAsync(HttpContext context, RestMqCallback callback, string error) =>
        ErrorAsync(context, callback, error, StatusCodes.Status200OK);

    /// <summary>
    /// The core's refusal: told in the form of the protocol, with its own status, so that no client takes it for an answer.
    /// </summary>
    private static Task ErrorAsync(HttpContext context, RestMqCallback callback, Problem problem) =>
        ErrorAsync(context, callback, problem.Sentence, problem.Type.Status);

    private static Task ErrorAsync(HttpContext context, RestMqCallback callback, string error, int status) =>
        RestMqAnswers.JsonAsync(
            context,
            callback,
            json =>
            {
                json.WriteStartObject();
                json.WriteString("error"u8, error);
                json.WriteEndObject();
            },
            status);

    private static bool TryText(JsonElement command, string name, out string text)
    {
        text = "";
        return command.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && JsonText.TryRead(value, out text);
    }
}
