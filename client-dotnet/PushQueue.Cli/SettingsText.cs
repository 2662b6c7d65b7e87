using System.Globalization;
using PushQueue.Client;

namespace PushQueue.Cli;

/// <summary>Settings as <c>name=value</c>.</summary>
internal static class SettingsText
{
    private const string FromEarliest = " from earliest";
    private const StringSplitOptions Splitting = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    public static QueueSettingsChange Parse(IEnumerable<string> changes)
    {
        var change = new QueueSettingsChange();
        foreach (var given in changes)
        {
            change = given.Split('=', 2) is [var name, var value]
                ? Set(change, name, value)
                : throw new UsageException($"'{given}' is not a setting; give name=value.");
        }

        return change;
    }

    public static IEnumerable<(string Name, string Value)> Describe(QueueSettings settings) =>
    [
        ("policy", settings.Policy),
        ("status", settings.Status),
        ("ttr", settings.Ttr),
        ("maxAttempts", settings.MaxAttempts.ToString(CultureInfo.InvariantCulture)),
        ("retryDelay", settings.RetryDelay),
        ("dedupWindow", settings.DedupWindow),
        ("maxMessages", settings.MaxMessages?.ToString(CultureInfo.InvariantCulture) ?? "no limit"),
        ("maxBytes", settings.MaxBytes?.ToString(CultureInfo.InvariantCulture) ?? "no limit"),
        ("overflow", settings.Overflow),
        ("history.messages", settings.History.Messages?.ToString(CultureInfo.InvariantCulture) ?? ""),
        ("history.age", settings.History.Age ?? ""),
        ("history.perKey", settings.History.PerKey is true ? "true" : "false"),
        ("deadLetter", settings.DeadLetter ? "true" : "false"),
        ("expires", settings.Expires),
        ("keyInFlight", settings.KeyInFlight == 0 ? "no limit" : settings.KeyInFlight.ToString(CultureInfo.InvariantCulture)),
        ("fair", settings.Fair ? "true" : "false"),
        ("subscriptions", string.Join(", ", settings.Subscriptions.Select(Describe))),
    ];

    private static QueueSettingsChange Set(QueueSettingsChange change, string name, string value) => name switch
    {
        "policy" => change with { Policy = value },
        "status" => change with { Status = value },
        "ttr" => change with { Ttr = value },
        "maxAttempts" => change with { MaxAttempts = (int)Number(name, value) },
        "retryDelay" => change with { RetryDelay = value },
        "dedupWindow" => change with { DedupWindow = value },
        "maxMessages" => change with { MaxMessages = Number(name, value) },
        "maxBytes" => change with { MaxBytes = Number(name, value) },
        "overflow" => change with { Overflow = value },
        "history.messages" => change with { History = (change.History ?? new HistorySettings()) with { Messages = Number(name, value) } },
        "history.perKey" when bool.TryParse(value, out var perKey) => change with
        {
            History = (change.History ?? new HistorySettings()) with { PerKey = perKey },
        },
        "history.age" => change with { History = (change.History ?? new HistorySettings()) with { Age = value } },
        "deadLetter" when bool.TryParse(value, out var flag) => change with { DeadLetter = flag },
        "expires" => change with { Expires = value },
        "keyInFlight" => change with { KeyInFlight = (int)Number(name, value) },
        "fair" when bool.TryParse(value, out var fair) => change with { Fair = fair },
        "subscriptions" => change with { Subscriptions = [.. value.Split(',', Splitting).Select(Subscription)] },
        _ => throw new UsageException(
            $"There is no setting '{name}' with the value '{value}'; the settings are "
            + $"{string.Join(", ", Describe(new QueueSettings()).Select(setting => setting.Name))}."),
    };

    private static string Describe(QueueSubscription subscription) => subscription.To
        + (subscription.Where is { Count: > 0 } where ? $" where {string.Join(" and ", where.Select(Describe))}" : "")
        + (subscription.From is { } from ? $" from {from}" : "");

    /// <summary>A queue or pattern, and <c> from earliest</c> behind it as <see cref="Describe(QueueSubscription)"/> writes it.</summary>
    private static QueueSubscription Subscription(string text) => text.EndsWith(FromEarliest, StringComparison.Ordinal)
        ? new QueueSubscription(text[..^FromEarliest.Length].TrimEnd()) { From = "earliest" }
        : new QueueSubscription(text);

    private static string Describe(KeyValuePair<string, string?> header) =>
        header.Value is null ? header.Key : $"{header.Key}={header.Value}";

    private static long Number(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var small) ? small
        : name is not ("maxAttempts" or "keyInFlight")
            && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new UsageException($"The setting '{name}' is '{value}'; give a number.");
}
