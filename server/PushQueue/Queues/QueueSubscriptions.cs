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

    /// <summary>The failure of a batch beyond <see cref="CopiesMax"/>.</summary>
    /// <param name="queue">The queue that has the subscribers.</param>
    public static BrokerFailure TooManyCopies(QueueName queue) => new(
        QueueError.BatchTooLarge,
        $"The batch makes more than {CopiesMax} copies for the subscribers of queue '{queue}'; send it in smaller batches.");

    /// <summary>Equal entries count once.</summary>
    public static QueueSubscriptions Of(IEnumerable<QueueSubscription> entries) => new([.. entries.Distinct()]);

    /// <summary>Reads the text back that a store has kept.</summary>
    public static QueueSubscriptions FromText(string text) =>
        text.Length == 0 ? None : new([.. text.Split(Separator).Select(QueueSubscription.FromText)]);

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

    public bool Equals(QueueSubscriptions? other) => other is not null && Text == other.Text;

    public override bool Equals(object? obj) => Equals(obj as QueueSubscriptions);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Text);

    public override string ToString() => Text.Replace(Separator, ',');
}
