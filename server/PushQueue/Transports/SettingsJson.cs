using System.Text.Json;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>Reads a change of settings: a JSON object with some of the settings.</summary>
internal static class SettingsJson
{
    private const string Names =
        "policy, status, ttr, maxAttempts, retryDelay, dedupWindow, maxMessages, maxBytes, overflow, history, deadLetter, expires, "
        + "keyInFlight, fair, subscriptions";

    private const string HistoryForm = """The setting 'history' is an object like {"messages":10000,"age":"10m","perKey":false}.""";

    private static readonly HashSet<string> All = new(Names.Split(", "), StringComparer.Ordinal);

    // As a sentence about them names them; a change cannot.
    private const string HistoryAge = "history.age";
    private const string HistoryMessages = "history.messages";
    private const string HistoryPerKey = "history.perKey";

    public static Problem? Read(ReadOnlySpan<byte> json, out QueueSettingsPatch patch)
    {
        patch = new QueueSettingsPatch();
        json = BodyKinds.SkipMark(json);
        if (JsonBody.WhyNot(json) is { } whyNot)
        {
            return Problem.BadJson($"The body is not valid JSON: {whyNot}.");
        }

        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return Problem.BadJson("""Send a JSON object like {"policy":"roundrobin","maxMessages":1000}.""");
        }

        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (ReadSetting(ref reader, json, name, ref patch) is { } problem)
            {
                return problem;
            }
        }

        return fields.Problem;
    }

    private static Problem? ReadSetting(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string name, ref QueueSettingsPatch patch)
    {
        if (!All.Contains(name))
        {
            return OptionValues.Unknown(name, Names);
        }

        if (reader.TokenType == JsonTokenType.Null)
        {
            // A null takes a limit away, which a patch writes as zero. Any other setting that is null is not given.
            return name is "maxMessages" or "maxBytes" ? Set(name, "0", ref patch) : null;
        }

        if (name == "subscriptions")
        {
            return SubscriptionsJson.Read(ref reader, json, ref patch);
        }

        if (name == "history")
        {
            return reader.TokenType == JsonTokenType.StartObject ? ReadHistory(ref reader, ref patch) : Problem.BadOption(HistoryForm);
        }

        return JsonText.TryRead(ref reader, out var value) ? Set(name, value, ref patch)
            : reader.TokenType == JsonTokenType.String ? JsonText.NotUnicode(name)
            : Problem.BadOption($"The setting '{name}' has a value of the wrong type; give a string or a number.");
    }

    private static Problem? ReadHistory(ref Utf8JsonReader reader, ref QueueSettingsPatch patch)
    {
        var fields = default(JsonFields);
        while (fields.Next(ref reader, out var name))
        {
            if (name is not ("messages" or "age" or "perKey"))
            {
                return OptionValues.Unknown($"history.{name}", $"{HistoryMessages}, {HistoryAge}, {HistoryPerKey}");
            }

            if (reader.TokenType == JsonTokenType.Null)
            {
                continue;
            }

            if (!JsonText.TryRead(ref reader, out var value))
            {
                return Problem.BadOption(HistoryForm);
            }

            if (Set(name switch { "age" => HistoryAge, "perKey" => HistoryPerKey, _ => HistoryMessages }, value, ref patch) is { } problem)
            {
                return problem;
            }
        }

        return fields.Problem;
    }

    /// <summary>Sets one setting by its name; <c>history.messages</c> and <c>history.age</c> are the parts of <c>history</c>.</summary>
    public static Problem? Set(string name, string value, ref QueueSettingsPatch patch)
    {
        Problem? problem;
        switch (name)
        {
            case "policy":
                problem = OptionValues.Policy(value, out var policy);
                patch = patch with { Policy = policy };
                return problem;
            case "status":
                problem = OptionValues.Status(value, out var stopped);
                patch = patch with { Stopped = stopped };
                return problem;
            case "overflow":
                patch = patch with { Overflow = value == "reject" ? FullQueuePolicy.Reject : FullQueuePolicy.DropOldest };
                return value is "reject" or "drop-oldest" ? null : Problem.BadOption("The setting 'overflow' must be reject or "
                    + "drop-oldest.");
            case "deadLetter":
                problem = OptionValues.Flag(name, value, out var deadLetter);
                patch = patch with { DeadLetter = deadLetter };
                return problem;
            case HistoryPerKey:
                problem = OptionValues.Flag(name, value, out var perKey);
                patch = patch with { HistoryPerKey = perKey };
                return problem;
            case "fair":
                problem = OptionValues.Flag(name, value, out var fair);
                patch = patch with { Fair = fair };
                return problem;
            case "retryDelay":
                problem = OptionValues.RetryDelay(name, value, out var retryDelay);
                patch = patch with { RetryDelay = retryDelay };
                return problem;
            default:
                return SetNumber(name, value, ref patch);
        }
    }

    private static Problem? SetNumber(string name, string value, ref QueueSettingsPatch patch)
    {
        Problem? problem;
        switch (name)
        {
            case "ttr":
                problem = OptionValues.TimeToRun(value, out var timeToRun);
                patch = patch with { TimeToRun = timeToRun };
                return problem;
            case "expires":
                problem = OptionValues.Duration(name, value, TimeSpan.Zero, Duration.Longest, out var expires);
                patch = patch with { Expires = expires };
                return problem ?? (expires > TimeSpan.Zero && expires < QueueExpiry.ShortestAfter
                    ? Problem.BadOption("The setting 'expires' must be at least 1m, or 0 for a queue that stays until it is deleted.")
                    : null);
            case "dedupWindow":
                problem = OptionValues.Duration(name, value, TimeSpan.Zero, Duration.Longest, out var window);
                patch = patch with { DedupWindow = window };
                return problem;
            case HistoryAge:
                problem = OptionValues.Duration(name, value, TimeSpan.Zero, Duration.Longest, out var age);
                patch = patch with { HistoryAge = age };
                return problem;
            case HistoryMessages:
                problem = OptionValues.Integer(name, value, 0, 100_000_000, out var history);
                patch = patch with { HistoryMessages = history };
                return problem;
            case "maxAttempts":
                problem = OptionValues.Integer(name, value, 1, 1000, out var attempts);
                patch = patch with { MaxAttempts = attempts };
                return problem;
            case "keyInFlight":
                problem = OptionValues.Integer(name, value, 0, 1_000_000, out var inFlight);
                patch = patch with { KeyInFlight = inFlight };
                return problem;
            case "maxMessages":
                problem = OptionValues.LongInteger(name, value, 0, long.MaxValue, out var messages);
                patch = patch with { MaxMessages = messages };
                return problem;
            case "maxBytes":
                problem = OptionValues.LongInteger(name, value, 0, long.MaxValue, out var bytes);
                patch = patch with { MaxBytes = bytes };
                return problem;
            default:
                return OptionValues.Unknown(name, Names);
        }
    }
}
