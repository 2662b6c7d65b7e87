using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Json;

/// <summary>The permissions of a caller on one queue.</summary>
/// <param name="Queue">On the queue.</param>
/// <param name="DeadLetters">On its dead-letter queue.</param>
internal sealed record QueueAccessContract(string[] Queue, string[] DeadLetters)
{
    public static QueueAccessContract Of(Caller caller, QueueName queue)
    {
        var deadLetters = queue.IsDeadLetter ? queue : queue.DeadLetter;
        return new(PermissionWords.Of(bit => caller.May(bit, queue)), PermissionWords.Of(bit => caller.May(bit, deadLetters)));
    }
}
