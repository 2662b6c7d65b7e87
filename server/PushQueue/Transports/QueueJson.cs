using System.Text.Json;
using PushQueue.Diagnostics;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>Queues and their settings as JSON.</summary>
internal static class QueueJson
{
    public static void WriteInfo(Utf8JsonWriter writer, QueueInfo info, QueueRate rate, int consumers, DateTimeOffset now)
    {
        writer.WriteStartObject();
        writer.WriteString("queue"u8, info.Name.Value);
        writer.WriteString("policy"u8, PolicyName(info.Settings.EffectivePolicy));
        writer.WriteString("status"u8, StatusName(info.Settings));
        writer.WriteNumber("ready"u8, info.Ready);
        writer.WriteNumber("delayed"u8, info.Delayed);
        writer.WriteNumber("leased"u8, info.Leased);
        writer.WriteNumber("history"u8, info.History);
        writer.WriteNumber("bytes"u8, info.Bytes);
        writer.WriteNumber("consumers"u8, consumers);
        WriteSeconds(writer, "oldestAgeSeconds"u8, now - info.OldestReadyAt);
        MessageJson.WriteTime(writer, "nextDelayedAt"u8, info.NextDelayedAt);
        writer.WriteNumber("putPerSecond"u8, Math.Round(rate.Put, 1));
        writer.WriteNumber("deliveredPerSecond"u8, Math.Round(rate.Delivered, 1));
        WriteCounters(writer, info.Counters);
        writer.WriteString("epoch"u8, info.Position.Epoch);
        writer.WriteNumber("firstOffset"u8, info.Position.FirstOffset);
        writer.WriteNumber("nextOffset"u8, info.Position.NextOffset);
        if (info.Settings.PushUrl is { } url)
        {
            // Only where it leads: a path or a query may hold a secret.
            writer.WriteString("pushUrl"u8, new Uri(url).GetLeftPart(UriPartial.Authority));
        }

        writer.WriteEndObject();
    }

    public static void WriteSettings(Utf8JsonWriter writer, QueueName queue, QueueSettings settings)
    {
        writer.WriteStartObject();
        writer.WriteString("queue"u8, queue.Value);
        writer.WriteString("policy"u8, PolicyName(settings.EffectivePolicy));
        writer.WriteString("status"u8, StatusName(settings));
        writer.WriteString("ttr"u8, Duration.Format(settings.TimeToRun));
        writer.WriteNumber("maxAttempts"u8, settings.MaxAttempts);
        writer.WriteString("retryDelay"u8, settings.RetryDelay.ToString());
        writer.WriteString("dedupWindow"u8, Duration.Format(settings.DedupWindow));
        WriteLimit(writer, "maxMessages"u8, settings.MaxMessages);
        WriteLimit(writer, "maxBytes"u8, settings.MaxBytes);
        writer.WriteString("overflow"u8, settings.Overflow == FullQueuePolicy.Reject ? "reject" : "drop-oldest");
        writer.WriteStartObject("history"u8);
        writer.WriteNumber("messages"u8, settings.HistoryMessages);
        writer.WriteString("age"u8, Duration.Format(settings.HistoryAge));
        writer.WriteEndObject();
        writer.WriteBoolean("deadLetter"u8, settings.DeadLetter);
        writer.WriteEndObject();
    }

    public static string PolicyName(DeliveryPolicy policy) => policy == DeliveryPolicy.RoundRobin ? "roundrobin" : "broadcast";

    public static string StatusName(QueueSettings settings) => settings.Stopped ? "stopped" : "started";

    public static Problem? Policy(string value, out DeliveryPolicy policy)
    {
        policy = value == "roundrobin" ? DeliveryPolicy.RoundRobin : DeliveryPolicy.Broadcast;
        return value is "roundrobin" or "broadcast"
            ? null
            : Problem.BadOption($"The policy is '{OptionValues.Shown(value)}'; give broadcast or roundrobin.");
    }

    public static Problem? Status(string value, out bool stopped)
    {
        stopped = value is "stop" or "stopped";
        return stopped || value is "start" or "started"
            ? null
            : Problem.BadOption($"The status is '{OptionValues.Shown(value)}'; give start or stop.");
    }

    public static void WritePurged(Utf8JsonWriter writer, QueueName queue, long purged)
    {
        writer.WriteString("queue"u8, queue.Value);
        writer.WriteNumber("purged"u8, purged);
    }

    public static void WriteCounters(Utf8JsonWriter writer, QueueCounters counters)
    {
        writer.WriteStartObject("counters"u8);
        writer.WriteNumber("put"u8, counters.Put);
        writer.WriteNumber("delivered"u8, counters.Delivered);
        writer.WriteNumber("acked"u8, counters.Acked);
        writer.WriteNumber("failed"u8, counters.Failed);
        writer.WriteNumber("cancelled"u8, counters.Cancelled);
        writer.WriteNumber("expired"u8, counters.Expired);
        writer.WriteNumber("dropped"u8, counters.Dropped);
        writer.WriteNumber("deadLettered"u8, counters.DeadLettered);
        writer.WriteNumber("lost"u8, counters.Lost);
        writer.WriteEndObject();
    }

    private static void WriteSeconds(Utf8JsonWriter writer, ReadOnlySpan<byte> name, TimeSpan? age)
    {
        if (age is { } value)
        {
            writer.WriteNumber(name, Math.Max(0, Math.Round(value.TotalSeconds, 3)));
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private static void WriteLimit(Utf8JsonWriter writer, ReadOnlySpan<byte> name, long? limit)
    {
        if (limit is { } value)
        {
            writer.WriteNumber(name, value);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
