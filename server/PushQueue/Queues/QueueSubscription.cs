using System.Diagnostics.CodeAnalysis;

namespace PushQueue.Queues;

/// <summary>
/// One entry of a queue's setting <c>subscriptions</c>: messages of the queues that it names are also put into this one.
/// </summary>
/// <param name="To">The name of a queue, or a pattern (<see cref="NamePattern"/>).</param>
/// <param name="Where">Which messages; null for all.</param>
/// <param name="FromEarliest">Whether what those queues hold when the entry begins to feed this queue is copied first.</param>
internal sealed record QueueSubscription(string To, MessageFilter? Where = null, bool FromEarliest = false)
{
    // Neither names and patterns nor conditions hold control characters.
    private const char Separator = '\u001F';

    /// <summary>As stores keep it: what it names, then the conditions. Where it begins is kept apart.</summary>
    public string Text => Where is null ? To : string.Join(Separator, [To, .. Where.Conditions]);

    /// <param name="to">A name or a pattern.</param>
    /// <param name="where">Which messages; null for all.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="whyNot">A sentence that says what is wrong.</param>
    public static bool TryParse(
        string? to,
        MessageFilter? where,
        [NotNullWhen(true)] out QueueSubscription? subscription,
        [NotNullWhen(false)] out string? whyNot)
    {
        subscription = null;
        if (!QueueName.TryParse(to, out var name, out whyNot))
        {
            return false;
        }

        if (name.IsDeadLetter)
        {
            whyNot = $"A queue cannot subscribe to dead letters ('{name}'); name the queue from which they come.";
            return false;
        }

        subscription = new QueueSubscription(name.Value, where);
        return true;
    }

    /// <summary>Reads the text back that a store has kept.</summary>
    public static QueueSubscription FromText(string text)
    {
        var parts = text.Split(Separator);
        return MessageFilter.TryParse(parts[1..], out var where, out var whyNot)
            ? new QueueSubscription(parts[0], where)
            : throw new InvalidDataException($"A subscription to '{parts[0]}' cannot be read: {whyNot}");
    }

    /// <summary>Whether messages of that queue are meant. Dead-letter queues match nothing.</summary>
    public bool Fits(QueueName queue) => !queue.IsDeadLetter && NamePattern.Fits(To, queue.Value);

    /// <summary>Whether a message with these headers is meant.</summary>
    public bool Wants(MessageHeaders? headers) => Where is null || Where.Matches(headers);
}
