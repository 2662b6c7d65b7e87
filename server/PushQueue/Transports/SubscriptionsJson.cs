using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>
/// The setting <c>subscriptions</c> in JSON: a list of names and patterns, or of objects like
/// <c>{"to":"audit","where":{"tenant":"7"},"from":"earliest"}</c>.
/// </summary>
internal static class SubscriptionsJson
{
    private const string Form =
        "The setting 'subscriptions' must be a list of names or patterns of queues, or of objects like "
        + """{"to":"audit","where":{"tenant":"7"}}.""";

    /// <summary>Reads the list at which the reader stands.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="json">The JSON that it reads.</param>
    /// <param name="patch">The change, to which the subscriptions are added.</param>
    public static Problem? Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ref QueueSettingsPatch patch)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return Problem.BadOption(Form);
        }

        var entries = new List<QueueSubscription>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (entries.Count == QueueSubscriptions.CountMax)
            {
                return Problem.BadOption(
                    $"A queue may have {QueueSubscriptions.CountMax} subscriptions; use patterns, like orders.*, for more queues.");
            }

            if (ReadEntry(ref reader, json, out var entry) is { } problem)
            {
                return problem;
            }

            entries.Add(entry!);
        }

        patch = patch with { Subscriptions = QueueSubscriptions.Of(entries) };
        return null;
    }

    private static Problem? ReadEntry(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, out QueueSubscription? entry)
    {
        entry = null;
        string? to = null;
        MessageFilter? where = null;
        var fromEarliest = false;
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            var fields = default(JsonFields);
            while (fields.Next(ref reader, out var name))
            {
                if (ReadField(ref reader, json, name, ref to, ref where, ref fromEarliest) is { } problem)
                {
                    return problem;
                }
            }

            if (fields.Problem is { } twice)
            {
                return twice;
            }
        }
        else if (reader.TokenType == JsonTokenType.String)
        {
            if (JsonText.Read(ref reader, "subscriptions", out to) is { } problem)
            {
                return problem;
            }
        }

        if (to is null)
        {
            return Problem.BadOption(Form);
        }

        if (!QueueSubscription.TryParse(to, where, out entry, out var whyNot))
        {
            return new Problem(ProblemType.BadQueueName, $"A subscription names '{OptionValues.Shown(to)}': {whyNot}");
        }

        entry = entry with { FromEarliest = fromEarliest };
        return null;
    }

    private static Problem? ReadField(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> json, string name, ref string? to, ref MessageFilter? where, ref bool fromEarliest)
    {
        switch (name)
        {
            case "to" when reader.TokenType != JsonTokenType.String:
                return Problem.BadOption(Form);
            case "to":
                return JsonText.Read(ref reader, name, out to);
            case "where":
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                return WhereJson.Read(json[start..(int)reader.BytesConsumed], out where);
            case "from":
                fromEarliest = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("earliest"u8);
                return fromEarliest || (reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("latest"u8))
                    || reader.TokenType == JsonTokenType.Null
                    ? null
                    : Problem.BadOption("The field 'from' of a subscription must be latest or earliest.");
            default:
                return Problem.BadOption($"A subscription has no field '{OptionValues.Shown(name)}'; its fields are to, where and from.");
        }
    }
}
