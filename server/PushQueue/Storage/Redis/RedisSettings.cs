using System.Globalization;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// A queue's settings as fields of its hash: numbers as text, durations in ticks of 100 ns, and only what differs from nothing having been
/// set. The names may never change their meaning.
/// </summary>
internal static class RedisSettings
{
    public static readonly RedisValue[] Fields =
    [
        "policy", "stopped", "ttr", "attempts", "retry1", "retry2", "dedup", "maxmsgs", "maxbytes", "overflow", "histmax", "histage",
        "nodead", "pushurl", "expires", "perkey", "subs", "keylimit", "fair", "earliest",
    ];

    /// <summary>The arguments of UpdateSettings.lua; the first two are for the time and the caller.</summary>
    public static RedisValue[] Change(QueueSettingsPatch patch, IReadOnlyCollection<QueueName> sources) =>
        [default, default, (int)patch.Condition, Fields.Length, .. Fields, .. Of(patch, sources)];

    /// <summary>
    /// Field and value of each change in turn; an empty value takes the field away. Last the queues that are to be copied first, behind a
    /// name of their own.
    /// </summary>
    private static List<RedisValue> Of(QueueSettingsPatch patch, IReadOnlyCollection<QueueName> sources)
    {
        var changes = new List<RedisValue>();
        void Change(string field, long? value)
        {
            if (value is { } given)
            {
                changes.Add(field);
                changes.Add(given.ToString(CultureInfo.InvariantCulture));
            }
        }

        void Limit(string field, long? value)
        {
            if (value is { } given)
            {
                changes.Add(field);
                changes.Add(given == 0 ? RedisValue.EmptyString : given.ToString(CultureInfo.InvariantCulture));
            }
        }

        Change("policy", (long?)patch.Policy);
        Change("stopped", Flag(patch.Stopped));
        Change("ttr", patch.TimeToRun?.Ticks);
        Change("attempts", patch.MaxAttempts);
        Change("retry1", patch.RetryDelay?.First.Ticks);
        Change("retry2", patch.RetryDelay?.Last.Ticks);
        Change("dedup", patch.DedupWindow?.Ticks);
        Limit("maxmsgs", patch.MaxMessages);
        Limit("maxbytes", patch.MaxBytes);
        Change("overflow", (long?)patch.Overflow);
        Change("histmax", patch.HistoryMessages);
        Change("histage", patch.HistoryAge?.Ticks);
        Change("nodead", Flag(!patch.DeadLetter));
        Change("expires", patch.Expires?.Ticks);
        Change("perkey", Flag(patch.HistoryPerKey));
        Change("keylimit", patch.KeyInFlight);
        Change("fair", Flag(patch.Fair));
        if (patch.PushUrl is { } url)
        {
            changes.Add("pushurl");
            changes.Add(url);
        }

        if (patch.Subscriptions is { } subscriptions)
        {
            changes.Add("subs");
            changes.Add(subscriptions.Text);
            changes.Add("earliest");
            changes.Add(subscriptions.EarliestText);
        }

        foreach (var source in sources)
        {
            changes.Add("\u0001");
            changes.Add(source.Value);
        }

        return changes;
    }

    /// <summary>Reads the values of <see cref="Fields"/>; empty ones were never set.</summary>
    public static QueueSettings Read(ReadOnlySpan<RedisValue> values)
    {
        var none = QueueSettings.Default;
        return new QueueSettings
        {
            Policy = (DeliveryPolicy?)Number(values[0]),
            Stopped = Number(values[1]) == 1,
            TimeToRun = Time(values[2]) ?? none.TimeToRun,
            MaxAttempts = (int)(Number(values[3]) ?? none.MaxAttempts),
            RetryDelay = Time(values[4]) is { } first ? new RetryDelay(first, Time(values[5]) ?? first) : none.RetryDelay,
            DedupWindow = Time(values[6]) ?? none.DedupWindow,
            MaxMessages = Number(values[7]),
            MaxBytes = Number(values[8]),
            Overflow = (FullQueuePolicy)(Number(values[9]) ?? (long)none.Overflow),
            HistoryMessages = (int)(Number(values[10]) ?? none.HistoryMessages),
            HistoryAge = Time(values[11]) ?? none.HistoryAge,
            DeadLetter = Number(values[12]) is { } off ? off == 0 : none.DeadLetter,
            PushUrl = values[13].IsNullOrEmpty ? null : (string?)values[13],

            // Missing in notifications of earlier versions, likewise the next ones.
            Expires = values.Length > 14 ? Time(values[14]) : null,
            HistoryPerKey = values.Length > 15 && Number(values[15]) == 1,
            Subscriptions = values.Length > 16 && !values[16].IsNullOrEmpty
                ? QueueSubscriptions.FromText(values[16]!, values.Length > 19 ? (string?)values[19] ?? "" : "")
                : none.Subscriptions,
            KeyInFlight = (int)(values.Length > 17 ? Number(values[17]) ?? none.KeyInFlight : none.KeyInFlight),
            Fair = values.Length > 18 && Number(values[18]) == 1,
        };
    }

    private static long? Flag(bool? value) => value is { } given ? (given ? 1 : 0) : null;

    private static long? Number(RedisValue value) => value.IsNullOrEmpty ? null : (long)value;

    private static TimeSpan? Time(RedisValue value) => Number(value) is { } ticks ? TimeSpan.FromTicks(ticks) : null;
}
