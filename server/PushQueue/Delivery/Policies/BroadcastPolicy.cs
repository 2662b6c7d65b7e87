using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// Every live consumer gets each message. A round takes what is ready and hands it out. While it runs, the next messages gather: the server
/// waits for its own CPU, never for a client.
/// </summary>
internal sealed class BroadcastPolicy : IDispatchPolicy
{
    private readonly QueueDispatcher _dispatcher;
    private readonly IMessageStore _store;
    private readonly BroadcastRounds _rounds;
    private readonly MissedRounds _missed;

    public BroadcastPolicy(QueueDispatcher dispatcher, IMessageStore store, MessageTails tails, MemoryBudget memory)
    {
        _dispatcher = dispatcher;
        _store = store;
        _rounds = new BroadcastRounds(dispatcher, store, tails, memory);
        _missed = new MissedRounds(dispatcher, store, _rounds);
    }

    /// <summary>The rounds of other nodes that this node's consumers have not got yet.</summary>
    public ValueTask<bool> FinishAsync() => _missed.RunRoundAsync();

    public async ValueTask<bool> RunRoundAsync()
    {
        if (await _missed.RunRoundAsync())
        {
            return true;
        }

        // Without a consumer messages wait in the store, where the next consumer finds them, rather than in history; unless the queue feeds
        // others, whose copies are what they wait for.
        var live = _dispatcher.Live();
        if (_missed.IsFilling || _rounds.IsCongested(live))
        {
            return false;
        }

        if (live.Length == 0 && !_dispatcher.ConsumeFeeding())
        {
            // Messages that were put while there were consumers have their offsets: they wait no longer.
            _store.EndPushing(_dispatcher.Queue);
            return false;
        }

        IReadOnlyList<Message> messages;
        try
        {
            messages = await _store.BroadcastAsync(_dispatcher.Queue, RoundLimits.MessagesMax, RoundLimits.BytesMax);
        }
        catch (StoreUnavailableException)
        {
            // The messages may have their offsets all the same; then they are read from history.
            _dispatcher.LookAgain();
            _ = live.Length > 0 || _dispatcher.TryFeed();
            throw;
        }

        if (messages.Count == 0)
        {
            _rounds.SendPositions();
            return false;
        }

        // There may be more.
        _ = live.Length > 0 || _dispatcher.TryFeed();

        if (messages[0].Offset != _dispatcher.NextOffset)
        {
            // Another node has given out what lies between.
            _missed.FillUpTo(messages);
            return true;
        }

        await _rounds.GiveAsync(messages, await _dispatcher.EpochAsync());
        return true;
    }
}
