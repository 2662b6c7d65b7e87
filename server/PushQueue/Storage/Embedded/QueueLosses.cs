using PushQueue.Storage.Embedded.Records;

namespace PushQueue.Storage.Embedded;

/// <summary>Messages of a queue whose bodies the disk has damaged.</summary>
internal static class QueueLosses
{
    /// <summary>
    /// Dead-letters messages whose bodies cannot be read: no later take or lease could give them out either. A dead-letter queue drops
    /// them. A message that changed its place in the log since the read keeps its place in the queue, because the copy may be whole.
    /// </summary>
    public static void DeadLetterUnreadable(this EmbeddedQueue queue, IReadOnlyList<UnreadableMessage> unreadable)
    {
        using var transaction = queue.Begin();
        var state = transaction.State;
        foreach (var (message, segment, offset) in unreadable)
        {
            var isLive = message.Place is MessagePlace.Ready or MessagePlace.Delayed or MessagePlace.Leased;
            if (isLive && message.Segment == segment && message.RecordOffset == offset)
            {
                state.LeaveOrder(message);
                message.EnsureDetails().LastError = "The body on disk cannot be read.";
                state.Counters.Lost++;
                state.DeadLetter(message, transaction.Now, "damaged");
            }
        }
    }
}
