using System.Globalization;
using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>The place at which a page of messages ended: what orders the messages of the state.</summary>
internal readonly record struct PageKey(int Priority, long TimeMs, long Sequence)
{
    public static PageKey Of(StoredMessage message) => message.Place switch
    {
        MessagePlace.Leased => new PageKey(0, message.Lease!.UntilMs, message.Sequence),
        MessagePlace.Delayed => new PageKey(0, message.AvailableAtMs, message.Sequence),
        _ => new PageKey(message.Priority, message.AvailableAtMs, message.Sequence),
    };

    /// <summary>False for a text that no page ended with. Null is the place before the first message.</summary>
    public static bool TryParse(string? text, out PageKey key)
    {
        key = new PageKey(int.MaxValue, long.MinValue, 0);
        if (text is null)
        {
            return true;
        }

        var parts = text.Split('-');
        var culture = CultureInfo.InvariantCulture;
        if (parts.Length != 3
            || !int.TryParse(parts[0], NumberStyles.None, culture, out var priority)
            || !long.TryParse(parts[1], NumberStyles.None, culture, out var time)
            || !long.TryParse(parts[2], NumberStyles.None, culture, out var sequence))
        {
            return false;
        }

        key = new PageKey(priority, time, sequence);
        return true;
    }

    /// <summary>A message that would stand at this place, in the order of any state.</summary>
    public StoredMessage ToPlace() => new()
    {
        Sequence = Sequence,
        ContentType = string.Empty,
        EnqueuedAtMs = 0,
        AvailableAtMs = TimeMs,
        BodyLength = 0,
        Priority = (byte)Math.Min(Priority, OrderedMessages.Priorities - 1),
        Lease = new LeaseDetails(default, TimeMs, Worker: null, Delivery: false, CallerUntilMs: 0),
    };

    public bool IsBehind(PageKey other)
    {
        if (Priority != other.Priority)
        {
            return Priority < other.Priority;
        }

        return TimeMs != other.TimeMs ? TimeMs > other.TimeMs : Sequence > other.Sequence;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Priority}-{TimeMs}-{Sequence}");
}
