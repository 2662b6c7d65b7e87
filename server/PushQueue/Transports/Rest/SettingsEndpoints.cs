using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary>A queue's settings, and the two most used of them by themselves: /p (policy) and /control (start and stop).</summary>
internal sealed class SettingsEndpoints(OperationExecutor operations, AccessControl access)
{
    private const int BodyBytesMax = 64 * 1024;

    public void Map(RestRoutes routes)
    {
        routes.Map("/q/{queue}/settings", ("GET", AccessRule.Stats, GetAsync, QueueOperations.GetSettings),
            ("PATCH", AccessRule.Manage, PatchAsync, QueueOperations.ChangeSettings));
        Map(routes, "/p/{queue}", QueueSetting.Policy, QueueOperations.GetPolicy, QueueOperations.SetPolicy);
        Map(routes, "/control/{queue}", QueueSetting.Status, QueueOperations.GetStatus, QueueOperations.SetStatus);
    }

    private void Map(RestRoutes routes, string pattern, QueueSetting setting, ApiOperation get, ApiOperation set) => routes.Map(
        pattern,
        ("GET", AccessRule.Stats, context => ReportAsync(context, setting), get),
        ("POST", AccessRule.Manage, context => SetAsync(context, setting), set));

    private async ValueTask<Problem?> GetAsync(HttpContext context) =>
        Problem.First(RawPath.Queue(context, 1, out var queue), QueryOptions.None(context.Request))
        ?? await AnswerAsync(context, queue, await operations.SettingsAsync(queue));

    private async ValueTask<Problem?> PatchAsync(HttpContext context)
    {
        if (Problem.First(RawPath.Queue(context, 1, out var queue), QueryOptions.None(context.Request)) is { } problem)
        {
            return problem;
        }

        var (body, bodyProblem) = await RequestBody.ReadAsync(context, BodyBytesMax, ProblemType.MessageTooLarge);
        if (bodyProblem is not null)
        {
            return bodyProblem;
        }

        if (SettingsJson.Read(body, out var patch) is { } broken)
        {
            return broken;
        }

        var changed = await operations.ChangeSettingsAsync(queue, patch, access.CallerOf(context));
        return changed.Problem ?? await AnswerAsync(context, queue, changed.Value!);
    }

    private async ValueTask<Problem?> ReportAsync(HttpContext context, QueueSetting setting) =>
        Problem.First(RawPath.Queue(context, 0, out var queue), QueryOptions.None(context.Request))
        ?? await AnswerAsync(context, queue, setting, await operations.SettingAsync(setting, queue, value: null));

    private async ValueTask<Problem?> SetAsync(HttpContext context, QueueSetting setting)
    {
        var (value, problem) = await ReadOneAsync(context, setting.Name);
        return Problem.First(problem, RawPath.Queue(context, 0, out var queue))
            ?? await AnswerAsync(context, queue, setting, await operations.SettingAsync(setting, queue, value));
    }

    private static ValueTask<Problem?> AnswerAsync(HttpContext context, QueueName queue, QueueSettings settings) =>
        RestAnswers.ContractAsync(context, SettingsContract.Of(queue, settings), ContractContext.Default.SettingsContract);

    private static async ValueTask<Problem?> AnswerAsync(
        HttpContext context, QueueName queue, QueueSetting setting, Outcome<string> outcome)
    {
        if (outcome.Problem is { } problem)
        {
            return problem;
        }

        return setting == QueueSetting.Policy
            ? await RestAnswers.ContractAsync(
                context, new PolicyContract(queue.Value, outcome.Value!), ContractContext.Default.PolicyContract)
            : await RestAnswers.ContractAsync(
                context, new StatusContract(queue.Value, outcome.Value!), ContractContext.Default.StatusContract);
    }

    /// <summary>
    /// One value out of the query string, a form or a JSON object, whichever the client likes; given once, and nothing else with it.
    /// </summary>
    private static async ValueTask<(string Value, Problem? Problem)> ReadOneAsync(HttpContext context, string name)
    {
        if (ReadQuery(context.Request, name, out var given) is { } problem)
        {
            return ("", problem);
        }

        var (body, bodyProblem) = await RequestBody.ReadAsync(context, BodyBytesMax, ProblemType.MessageTooLarge);
        if (bodyProblem is not null || (given is not null && body.Length == 0))
        {
            return (given ?? "", bodyProblem);
        }

        if (given is not null)
        {
            return ("", Problem.BadOption($"Give '{name}' once: in the query string, or in the body."));
        }

        var json = JsonBody.SkipMark(body);
        if ((IsJsonObject(json.Span) ? ReadJson(json.Span, name, out var value) : ReadForm(body, name, out value)) is { } wrong)
        {
            return ("", wrong);
        }

        return value is null
            ? ("", Problem.BadOption($"Send {name}=… as a form, or as a JSON object with the field '{name}'."))
            : (value, null);
    }

    private static Problem? ReadQuery(HttpRequest request, string name, out string? value)
    {
        value = null;
        var query = new QueryOptions(request);
        while (query.Next(out var option, out var text))
        {
            if (!option.SequenceEqual(name))
            {
                return OptionValues.Unknown(option, name);
            }

            value = text;
        }

        return query.Problem;
    }

    /// <summary>The field of a form; null if the body is not a form, or lacks it.</summary>
    private static Problem? ReadForm(ReadOnlySpan<byte> body, string name, out string? value)
    {
        value = null;
        foreach (var range in body.Split((byte)'&'))
        {
            var field = body[range];
            var equals = field.IndexOf((byte)'=');
            if (equals < 0)
            {
                if (field.IsEmpty)
                {
                    continue;
                }

                value = null;
                return null;
            }

            var given = Encoding.UTF8.GetString(FormBody.Decode(field[..equals]));
            if (given != name)
            {
                return OptionValues.Unknown(given, name);
            }

            if (value is not null)
            {
                return Problem.BadOption($"The field '{name}' is given twice; give it once.");
            }

            value = Encoding.UTF8.GetString(FormBody.Decode(field[(equals + 1)..]));
        }

        return null;
    }

    private static bool IsJsonObject(ReadOnlySpan<byte> body) =>
        body.TrimStart(" \t\r\n"u8).StartsWith("{"u8) && JsonBody.IsValid(body);

    /// <summary>The field of a JSON object; null if it lacks it.</summary>
    private static Problem? ReadJson(ReadOnlySpan<byte> body, string name, out string? value)
    {
        value = null;
        var reader = new Utf8JsonReader(body, JsonBody.ReaderOptions);
        reader.Read();
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var field))
        {
            if (field != name)
            {
                return OptionValues.Unknown(field, name);
            }

            if (JsonText.Read(ref reader, name, out value) is { } problem)
            {
                return problem;
            }
        }

        return fields.Problem;
    }
}
