using System.Diagnostics.CodeAnalysis;

namespace PushQueue.Queues;

/// <summary>One entry of a queue's setting <c>subscriptions</c>: what is put into the queues that it names is also put into this one.</summary>
/// <param name="To">The name of a queue, or a pattern (<see cref="NamePattern"/>).</param>
internal sealed record QueueSubscription(string To)
{
    /// <param name="text">A name or a pattern.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="whyNot">A sentence that says what is wrong.</param>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out QueueSubscription? subscription, [NotNullWhen(false)] out string? whyNot)
    {
        subscription = null;
        if (!QueueName.TryParse(text, out var name, out whyNot))
        {
            return false;
        }

        if (name.IsDeadLetter)
        {
            whyNot = $"Nothing can subscribe to dead letters ('{name}'); name the queue that they come from.";
            return false;
        }

        subscription = new QueueSubscription(name.Value);
        return true;
    }

    /// <summary>Whether messages of that queue are meant. Dead-letter queues match nothing.</summary>
    public bool Fits(QueueName queue) => !queue.IsDeadLetter && NamePattern.Fits(To, queue.Value);
}
