using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// Every live consumer gets each message. A round takes what is ready, encodes it once per format and hands the same pages to all. While
/// it runs, the next messages gather: the server waits for its own CPU, never for a client.
/// </summary>
internal sealed class BroadcastPolicy(QueueDispatcher dispatcher, IMessageStore store, TimeProvider time) : IDispatchPolicy
{
    public const int RoundMessagesMax = 512;

    public const int RoundBytesMax = 256 * 1024;

    private int _overHalfLastRound;

    public async ValueTask<bool> RunRoundAsync()
    {
        // With nobody there messages wait in the store, where the next consumer finds them, rather than in history.
        var before = dispatcher.Live();
        if (before.Length == 0 || IsCongested(before))
        {
            return false;
        }

        var messages = await store.BroadcastAsync(dispatcher.Queue, RoundMessagesMax, RoundBytesMax);
        if (messages.Count == 0)
        {
            return false;
        }

        // Who joins from here on joins behind these messages; see QueueDispatcher.TryGoLive.
        var live = dispatcher.AdvanceTo(messages[^1].Offset + 1);
        var batch = new MessageBatch(messages, await dispatcher.EpochAsync(), time.GetUtcNow());
        var round = new Round(batch);
        await round.RunAsync(live);
        _overHalfLastRound = round.OverHalf;
        return true;
    }

    /// <summary>
    /// Where more than half of the consumers are behind, the publisher is too fast rather than they too slow: no new round until they
    /// have caught up; the messages are safe in the store. A consumer that takes nothing at all is no reason to wait: it does not count, and the
    /// next rounds fill its buffer until its policy decides. Nor does one that is being closed.
    /// </summary>
    private bool IsCongested(Consumer[] live)
    {
        if (_overHalfLastRound == 0)
        {
            return false;
        }

        // Set before the count: a buffer that frees up after it was counted signals the dispatcher again.
        dispatcher.WaitsForRoom = true;
        var taking = 0;
        var behind = 0;
        foreach (var consumer in live)
        {
            var buffer = consumer.Buffer;
            if (buffer.IsOpen && !consumer.HasLeft && !buffer.IsStuck)
            {
                taking++;
                behind += buffer.IsOverHalf ? 1 : 0;
            }
        }

        if (behind * 2 > taking)
        {
            // Those that are behind may get stuck without ever freeing room, which nothing but time tells.
            dispatcher.SignalSoon();
            return true;
        }

        dispatcher.WaitsForRoom = false;
        return false;
    }

    private sealed class Round(MessageBatch batch) : FanOut
    {
        private int _overHalf;

        public int OverHalf => _overHalf;

        protected override void Give(Consumer consumer)
        {
            if (consumer.HasLeft)
            {
                return;
            }

            var outcome = consumer.Buffer.Offer(batch.PageFor(consumer.Format), consumer, observer: null, evenIfFull: false);
            consumer.OnBroadcast(batch.Count);
            if (outcome == OfferOutcome.Queued && consumer.Buffer.IsOverHalf)
            {
                _ = Interlocked.Increment(ref _overHalf);
            }
        }
    }
}
