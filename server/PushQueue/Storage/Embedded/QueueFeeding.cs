using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>A queue that feeds others.</summary>
internal static class QueueFeeding
{
    /// <summary>Whether messages go to history although nobody listens. Read without the lock.</summary>
    public static bool FeedsHistory(this EmbeddedQueue queue) =>
        queue.Subscribers is not null && queue.State.Settings is { Stopped: false, EffectivePolicy: DeliveryPolicy.Broadcast };

    /// <summary>From the return of this on, each put is copied to these; null for none.</summary>
    public static void Feed(this EmbeddedQueue queue, SubscriberSet? subscribers)
    {
        using var transaction = queue.Begin();
        queue.Subscribers = subscribers;
        if (transaction.State.Waiting.Ready.Count > 0)
        {
            // Messages that wait for a consumer wait no longer: they go to history.
            transaction.State.Events.Ready();
        }
    }
}
