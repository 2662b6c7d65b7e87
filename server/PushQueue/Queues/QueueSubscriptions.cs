namespace PushQueue.Queues;

/// <summary>The subscriptions of one queue. Immutable, and equal where the entries are.</summary>
internal sealed class QueueSubscriptions : IEquatable<QueueSubscriptions>
{
    /// <summary>The most subscriptions of one queue.</summary>
    public const int CountMax = 100;

    /// <summary>The most subscriptions of all queues of a server, or of all nodes that share one Redis.</summary>
    public const int TotalMax = 10_000;

    /// <summary>The most copies that one batch makes: it is stored in one step, for which all other puts wait.</summary>
    public const int CopiesMax = 100_000;

    // No entry's text holds it.
    private const char Separator = '\u001E';

    private QueueSubscriptions(IReadOnlyList<QueueSubscription> entries)
    {
        Entries = entries;
        Text = string.Join(Separator, entries.Select(static entry => entry.Text));
        EarliestText = string.Join(
            Separator, entries.Where(static entry => entry.FromEarliest).Select(static entry => entry.Text));
    }

    public static QueueSubscriptions None { get; } = new([]);

    /// <summary>The failure of a change beyond <see cref="TotalMax"/>.</summary>
    public static BrokerFailure TooMany { get; } = new(
        QueueError.TooManySubscriptions,
        $"The server may have {TotalMax} queue subscriptions; remove some, or use patterns. Nothing was changed.");

    public IReadOnlyList<QueueSubscription> Entries { get; }

    public int Count => Entries.Count;

    /// <summary>As stores keep it; empty for none.</summary>
    public string Text { get; }

    /// <summary>The texts of the entries that begin with what the sources hold, as stores keep them; empty for none.</summary>
    public string EarliestText { get; }

    /// <summary>The failure of a batch beyond <see cref="CopiesMax"/>.</summary>
    /// <param name="queue">The queue that has the subscribers.</param>
    public static BrokerFailure TooManyCopies(QueueName queue) => new(
        QueueError.BatchTooLarge,
        $"The batch makes more than {CopiesMax} copies for the subscribers of queue '{queue}'; send it in smaller batches.");

    /// <summary>Entries that mean the same messages count once; they begin with the earliest if one of them does.</summary>
    public static QueueSubscriptions Of(IEnumerable<QueueSubscription> entries) => new([.. entries
        .GroupBy(static entry => entry.Text, StringComparer.Ordinal)
        .Select(static same => same.FirstOrDefault(static entry => entry.FromEarliest) ?? same.First())]);

    /// <summary>Reads the texts back that a store has kept.</summary>
    /// <param name="text">See <see cref="Text"/>.</param>
    /// <param name="earliest">See <see cref="EarliestText"/>.</param>
    public static QueueSubscriptions FromText(string text, string earliest = "")
    {
        if (text.Length == 0)
        {
            return None;
        }

        var first = earliest.Split(Separator);
        return new([.. text.Split(Separator).Select(
            entry => QueueSubscription.FromText(entry) with { FromEarliest = first.Contains(entry, StringComparer.Ordinal) })]);
    }

    /// <summary>Whether an entry means that queue, and begins with what it holds.</summary>
    public bool FitsFromEarliest(QueueName queue)
    {
        foreach (var entry in Entries)
        {
            if (entry.FromEarliest && entry.Fits(queue))
            {
                return true;
            }
        }

        return false;
    }

    public bool Fits(QueueName queue)
    {
        foreach (var entry in Entries)
        {
            if (entry.Fits(queue))
            {
                return true;
            }
        }

        return false;
    }

    public bool Equals(QueueSubscriptions? other) => other is not null && Text == other.Text && EarliestText == other.EarliestText;

    public override bool Equals(object? obj) => Equals(obj as QueueSubscriptions);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Text);

    public override string ToString() => Text.Replace(Separator, ',');
}
