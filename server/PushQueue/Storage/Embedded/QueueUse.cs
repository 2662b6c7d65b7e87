namespace PushQueue.Storage.Embedded;

/// <summary>The use of a queue that does not come from an operation of a client, and the end of a queue that nobody uses.</summary>
internal static class QueueUse
{
    /// <summary>Writes the first record of a queue that was just made, before any other thread knows it.</summary>
    public static void RecordNew(this EmbeddedQueue queue, long now)
    {
        queue.Restore(state => state.NoteUse(now));
        queue.RecordState();
    }

    /// <summary>The queue is in use until that time has passed.</summary>
    public static void Keep(this EmbeddedQueue queue, TimeSpan ahead)
    {
        using var transaction = queue.Begin();
        transaction.State.NoteUse(transaction.Now + (long)ahead.TotalMilliseconds);
        transaction.State.ScheduleNext(schedule: true);
    }

    /// <summary>Deletes the queue with all that it holds, unless it was used meanwhile.</summary>
    /// <returns>How many messages were left in it; null where it stays.</returns>
    public static int? DeleteUnused(this EmbeddedQueue queue)
    {
        using var transaction = queue.Begin();
        if (!transaction.State.IsUnused(transaction.Now))
        {
            transaction.State.ScheduleNext(schedule: true);
            return null;
        }

        var left = transaction.State.Live;
        _ = EmbeddedQueue.DeleteAll(transaction.State);
        return left;
    }
}
