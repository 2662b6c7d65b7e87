using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// The rounds that other nodes have run. The offsets show what this node's consumers have not got yet; it is read from history and given
/// out before anything later. A gap replaces what history no longer holds. Only the dispatcher's own loop calls it.
/// </summary>
internal sealed class MissedRounds(QueueDispatcher dispatcher, IMessageStore store, BroadcastRounds rounds)
{
    /// <summary>A round of this node's own that waits until the hole before it is filled.</summary>
    private IReadOnlyList<Message>? _inHand;

    /// <summary>Rounds of this node's own have to wait.</summary>
    public bool IsFilling => _inHand is not null;

    /// <summary>Keeps a round until all before it is handed out. History may be too short to read it again, so it is kept here.</summary>
    public void FillUpTo(IReadOnlyList<Message> round)
    {
        _inHand = round;
        if (round[0].Offset < dispatcher.NextOffset)
        {
            // The store's offsets have begun again.
            dispatcher.LookAgain();
        }
        else
        {
            dispatcher.OnBroadcast(round[0].Offset);
        }
    }

    /// <summary>Hands out one page. False if nothing is missed, or no consumer has room.</summary>
    public ValueTask<bool> RunRoundAsync() =>
        dispatcher.NotifiedOffset <= dispatcher.NextOffset && _inHand is null ? new(false) : RunSlowAsync();

    private async ValueTask<bool> RunSlowAsync()
    {
        var next = dispatcher.NextOffset;
        if (_inHand is { } inHand && inHand[0].Offset <= next)
        {
            await GiveInHandAsync(inHand, next);
            return true;
        }

        var notified = dispatcher.NotifiedOffset;
        var target = _inHand is null ? notified : _inHand[0].Offset;
        if (dispatcher.TrySkipTo(target))
        {
            return true;
        }

        if (rounds.IsCongested(dispatcher.Live()))
        {
            return false;
        }

        var count = (int)Math.Min(RoundLimits.MessagesMax, target - next);
        var page = await store.ReadHistoryAsync(dispatcher.Queue, next, count, RoundLimits.BytesMax);
        if (page is null || !dispatcher.Continues(page.Position))
        {
            dispatcher.LookAgain();
            return true;
        }

        if (page.Messages.Count == 0 && page.Position.NextOffset <= next)
        {
            dispatcher.ResetNotified(notified, page.Position.NextOffset);
            return true;
        }

        await GivePageAsync(page, next, target);
        return true;
    }

    private async ValueTask GivePageAsync(HistoryPage page, long next, long target)
    {
        var first = page.Messages.Count > 0 ? page.Messages[0].Offset : page.Position.NextOffset;
        var reaches = Math.Min(first, target);
        if (reaches > next)
        {
            var gap = new Gap(GapCause.Expired, next, reaches - 1, Cursor.Of(page.Position.Epoch, reaches - 1));
            GapNotice.Send(dispatcher.AdvanceTo(reaches), gap);
        }

        if (first < target)
        {
            await rounds.GiveAsync(page.Messages, page.Position.Epoch);
        }
    }

    private async ValueTask GiveInHandAsync(IReadOnlyList<Message> inHand, long next)
    {
        _inHand = null;
        var rest = inHand[0].Offset == next ? inHand : [.. inHand.SkipWhile(message => message.Offset < next)];
        if (rest.Count > 0)
        {
            await rounds.GiveAsync(rest, await dispatcher.EpochAsync());
        }
    }
}
