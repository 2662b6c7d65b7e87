using PushQueue.Queues;

namespace PushQueue.Storage.Embedded;

/// <summary>A queue that feeds others.</summary>
internal static class QueueFeeding
{
    /// <summary>Whether messages go to history although nobody listens. Read without the lock.</summary>
    public static bool FeedsHistory(this EmbeddedQueue queue) =>
        queue.Subscribers is not null && queue.State.Settings is { Stopped: false, EffectivePolicy: DeliveryPolicy.Broadcast };

    /// <summary>
    /// From the return of this on, each put is copied to these; null for none. The caller calls <see cref="EmbeddedQueue.Notify"/> when it
    /// holds no lock.
    /// </summary>
    public static void Feed(this EmbeddedQueue queue, SubscriberSet? subscribers)
    {
        queue.Enter();
        try
        {
            queue.State.Advance(queue.State.Services.Clock.NowMs());
            queue.Subscribers = subscribers;
            if (queue.State.Waiting.Ready.Count > 0)
            {
                // Messages that wait for a consumer wait no longer: they go to history.
                queue.State.Events.Ready();
            }
        }
        finally
        {
            queue.Leave();
        }
    }
}
