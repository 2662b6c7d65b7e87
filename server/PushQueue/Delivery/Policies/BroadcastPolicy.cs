using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// Every live consumer gets each message. A round takes what is ready and hands it out. While it runs, the next messages gather: the server
/// waits for its own CPU, never for a client.
/// </summary>
internal sealed class BroadcastPolicy(QueueDispatcher dispatcher, IMessageStore store, BroadcastRounds rounds, MissedRounds missed) : IDispatchPolicy
{
    public async ValueTask<bool> RunRoundAsync()
    {
        // With nobody there messages wait in the store, where the next consumer finds them, rather than in history.
        var live = dispatcher.Live();
        if (live.Length == 0 || missed.IsFilling || rounds.IsCongested(live))
        {
            return false;
        }

        IReadOnlyList<Message> messages;
        try
        {
            messages = await store.BroadcastAsync(dispatcher.Queue, BroadcastRounds.MessagesMax, BroadcastRounds.BytesMax);
        }
        catch (StoreUnavailableException)
        {
            // The messages may have their offsets all the same; then they are read from history.
            dispatcher.LookAgain();
            throw;
        }

        if (messages.Count == 0)
        {
            return false;
        }

        if (messages[0].Offset != dispatcher.NextOffset)
        {
            // Another node has given out what lies between.
            missed.FillUpTo(messages);
            return true;
        }

        await rounds.GiveAsync(messages, await dispatcher.EpochAsync());
        return true;
    }
}
