using PushQueue.Queues;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>Payload of <see cref="RecordType.QueueState"/>: one queue without its messages. Settings are name and value, so that new
/// ones can be added.
/// History begins at the first offset: what was trimmed under earlier settings does not come back under later ones. For how long nobody has
/// used the queue is kept for one that expires.</summary>
internal sealed record QueueStateRecord(
    long Number,
    QueueName Name,
    string Epoch,
    long NextSequence,
    long NextOffset,
    QueueSettings Settings,
    QueueCounters Counters,
    long FirstOffset = 0,
    long UnusedMs = 0,
    EarlierCopyings? Earlier = null)
{
    private const int SettingsBytesMax = 400;
    private const int Counts = 9;

    public int BytesMax =>
        ((6 + Counts) * SpanWriter.NumberBytesMax)
        + SpanWriter.StringBytesMax(Name.Value)
        + SpanWriter.StringBytesMax(Epoch)
        + SpanWriter.StringBytesMax(Settings.PushUrl ?? "")
        + SpanWriter.StringBytesMax(Settings.Subscriptions.Text)
        + SpanWriter.StringBytesMax(Settings.Subscriptions.EarliestText)
        + (Earlier?.BytesMax ?? 0)
        + SettingsBytesMax;

    public void Write(ref SpanWriter writer)
    {
        writer.Number(Number);
        writer.Text(Name.Value);
        writer.Text(Epoch);
        writer.Number(NextSequence);
        writer.Number(NextOffset);
        WriteSettings(ref writer, Settings);
        writer.Byte(Counts);
        writer.Number(Counters.Put);
        writer.Number(Counters.Delivered);
        writer.Number(Counters.Acked);
        writer.Number(Counters.Failed);
        writer.Number(Counters.Cancelled);
        writer.Number(Counters.Expired);
        writer.Number(Counters.Dropped);
        writer.Number(Counters.DeadLettered);
        writer.Number(Counters.Lost);
        writer.Number(FirstOffset);
        writer.Text(Settings.PushUrl ?? "");
        writer.Number(UnusedMs);
        writer.Text(Settings.Subscriptions.Text);
        writer.Text(Settings.Subscriptions.EarliestText);
        Earlier?.Write(ref writer);
    }

    /// <exception cref="InvalidDataException">The payload is not a queue state.</exception>
    public static QueueStateRecord Read(ReadOnlySpan<byte> payload)
    {
        var reader = new SpanReader(payload);
        var number = reader.Number();
        var name = QueueName.Parse(reader.Text());
        var epoch = reader.Text();
        var nextSequence = reader.Number();
        var nextOffset = reader.Number();
        var settings = ReadSettings(ref reader);
        Span<long> counts = stackalloc long[Counts];
        counts.Clear();
        var stored = reader.Byte();
        for (var i = 0; i < stored; i++)
        {
            var count = reader.Number();
            if (i < Counts)
            {
                counts[i] = count;
            }
        }

        // Missing in records of earlier versions.
        var firstOffset = reader.Remaining > 0 ? reader.Number() : 0;
        var pushUrl = reader.Remaining > 0 ? reader.Text() : "";
        var unusedMs = reader.Remaining > 0 ? reader.Number() : 0;
        var subscriptions = reader.Remaining > 0 ? reader.Text() : "";
        var fromEarliest = reader.Remaining > 0 ? reader.Text() : "";
        var earlier = reader.Remaining > 0 ? EarlierCopyings.Read(ref reader) : null;
        settings = settings with
        {
            PushUrl = pushUrl.Length == 0 ? null : pushUrl,
            Subscriptions = QueueSubscriptions.FromText(subscriptions, fromEarliest),
        };
        var counters = new QueueCounters
        {
            Put = counts[0],
            Delivered = counts[1],
            Acked = counts[2],
            Failed = counts[3],
            Cancelled = counts[4],
            Expired = counts[5],
            Dropped = counts[6],
            DeadLettered = counts[7],
            Lost = counts[8],
        };
        return new QueueStateRecord(
            number, name, epoch, nextSequence, nextOffset, settings, counters, firstOffset, unusedMs, earlier);
    }

    /// <summary>Settings on disk: these numbers may only ever grow.</summary>
    private enum Setting : byte
    {
        End = 0,
        Policy = 1,
        Stopped = 2,
        TimeToRun = 3,
        MaxAttempts = 4,
        RetryDelayFirst = 5,
        RetryDelayLast = 6,
        DedupWindow = 7,
        MaxMessages = 8,
        MaxBytes = 9,
        Overflow = 10,
        HistoryMessages = 11,
        HistoryAge = 12,
        DeadLetter = 13,
        Expires = 14,
        KeyInFlight = 15,
        HistoryPerKey = 16,
        Fair = 17,
    }

    private static void WriteSettings(ref SpanWriter writer, QueueSettings settings)
    {
        WriteSetting(ref writer, Setting.Policy, settings.Policy is { } policy ? (long)policy : 0);
        WriteSetting(ref writer, Setting.Stopped, settings.Stopped ? 1 : 0);
        WriteSetting(ref writer, Setting.TimeToRun, settings.TimeToRun.Ticks);
        WriteSetting(ref writer, Setting.MaxAttempts, settings.MaxAttempts);
        WriteSetting(ref writer, Setting.RetryDelayFirst, settings.RetryDelay.First.Ticks);
        WriteSetting(ref writer, Setting.RetryDelayLast, settings.RetryDelay.Last.Ticks);
        WriteSetting(ref writer, Setting.DedupWindow, settings.DedupWindow.Ticks);
        WriteSetting(ref writer, Setting.MaxMessages, settings.MaxMessages ?? 0);
        WriteSetting(ref writer, Setting.MaxBytes, settings.MaxBytes ?? 0);
        WriteSetting(ref writer, Setting.Overflow, (long)settings.Overflow);
        WriteSetting(ref writer, Setting.HistoryMessages, settings.HistoryMessages);
        WriteSetting(ref writer, Setting.HistoryAge, settings.HistoryAge.Ticks);
        WriteSetting(ref writer, Setting.DeadLetter, settings.DeadLetter ? 1 : 0);
        WriteSetting(ref writer, Setting.HistoryPerKey, settings.HistoryPerKey ? 1 : 0);
        WriteSetting(ref writer, Setting.KeyInFlight, settings.KeyInFlight);
        WriteSetting(ref writer, Setting.Fair, settings.Fair ? 1 : 0);
        if (settings.Expires is { } expires)
        {
            WriteSetting(ref writer, Setting.Expires, expires.Ticks);
        }

        writer.Byte((byte)Setting.End);
    }

    private static void WriteSetting(ref SpanWriter writer, Setting setting, long value)
    {
        writer.Byte((byte)setting);
        writer.Number(value);
    }

    private static QueueSettings ReadSettings(ref SpanReader reader)
    {
        var settings = QueueSettings.Default;
        for (var setting = (Setting)reader.Byte(); setting != Setting.End; setting = (Setting)reader.Byte())
        {
            var value = reader.Number();
            settings = setting switch
            {
                Setting.Policy => settings with { Policy = value == 0 ? null : (DeliveryPolicy)value },
                Setting.Stopped => settings with { Stopped = value != 0 },
                Setting.TimeToRun => settings with { TimeToRun = TimeSpan.FromTicks(value) },
                Setting.MaxAttempts => settings with { MaxAttempts = (int)value },
                Setting.RetryDelayFirst => settings with { RetryDelay = settings.RetryDelay with { First = TimeSpan.FromTicks(value) } },
                Setting.RetryDelayLast => settings with { RetryDelay = settings.RetryDelay with { Last = TimeSpan.FromTicks(value) } },
                Setting.DedupWindow => settings with { DedupWindow = TimeSpan.FromTicks(value) },
                Setting.MaxMessages => settings with { MaxMessages = value == 0 ? null : value },
                Setting.MaxBytes => settings with { MaxBytes = value == 0 ? null : value },
                Setting.Overflow => settings with { Overflow = (FullQueuePolicy)value },
                Setting.HistoryMessages => settings with { HistoryMessages = (int)value },
                Setting.HistoryAge => settings with { HistoryAge = TimeSpan.FromTicks(value) },
                Setting.DeadLetter => settings with { DeadLetter = value != 0 },
                Setting.Expires => settings with { Expires = TimeSpan.FromTicks(value) },
                Setting.HistoryPerKey => settings with { HistoryPerKey = value != 0 },
                Setting.KeyInFlight => settings with { KeyInFlight = (int)value },
                Setting.Fair => settings with { Fair = value != 0 },
                _ => settings,
            };
        }

        return settings;
    }
}
