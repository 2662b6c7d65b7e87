namespace PushQueue.Client.Streaming;

/// <summary>The queues of one stream over many.</summary>
/// <param name="Queues">By their names.</param>
/// <param name="Match">By patterns of their names.</param>
internal sealed record QueueSelection(string[] Queues, string[] Match)
{
    /// <exception cref="ArgumentException">There is no queue and no pattern.</exception>
    public static QueueSelection Of(IEnumerable<string> queues, IEnumerable<string> patterns)
    {
        ArgumentNullException.ThrowIfNull(queues);
        ArgumentNullException.ThrowIfNull(patterns);
        var selection = new QueueSelection([.. queues], [.. patterns]);
        return selection.Queues.Length + selection.Match.Length > 0
            ? selection
            : throw new ArgumentException("Name a queue, or give a pattern.", nameof(queues));
    }

    public override string ToString() => string.Join(' ', Queues.Concat(Match));
}
