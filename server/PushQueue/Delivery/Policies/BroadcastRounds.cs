using System.Globalization;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery.Policies;

/// <summary>
/// Gives broadcast messages to every live consumer: encoded once per format, the same pages for all. Knows when so many consumers are
/// behind that the next round has to wait. Only the dispatcher's own loop calls it.
/// </summary>
internal sealed class BroadcastRounds(QueueDispatcher dispatcher, IMessageStore store, MessageTails tails, MemoryBudget memory)
{
    private int _overHalfLastRound;
    private bool _hasPassed;
    private long _lookedAt;

    /// <summary>Sends messages from the dispatcher's next offset on, with a gap for offsets that none of them has.</summary>
    public async ValueTask GiveAsync(IReadOnlyList<Message> messages, string epoch)
    {
        if (MessageTracing.IsOn)
        {
            foreach (var message in messages)
            {
                MessageTracing.HandedOut(message, "push");
            }
        }

        // A consumer that joins from here on joins behind these messages; see QueueDispatcher.TryGoLive.
        var expected = dispatcher.NextOffset;
        var live = dispatcher.AdvanceTo(messages[^1].Offset + 1);
        var round = new Round(Stretch.Cut(messages, expected, epoch, store.Now), memory, epoch, dispatcher.Time);
        await round.RunAsync(live);
        dispatcher.Counts.AddDelivered(((long)live.Length * messages.Count) - round.LeftOut);
        _hasPassed |= round.LeftOut > 0;
        _overHalfLastRound = round.OverHalf;
        NotifyWatchers(messages, live.Length);
    }

    /// <summary>
    /// Where more than half of the consumers are behind, the publisher is too fast rather than they too slow: no new round until they
    /// have caught up; the messages are safe in the store. The queue does not wait for a consumer that takes nothing at all: it does not
    /// count, and the next rounds fill its buffer until its policy decides. A consumer that is being closed does not count either.
    /// </summary>
    public bool IsCongested(Consumer[] live)
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

    /// <summary>Nothing is ready: consumers whose filter has left out messages for a while get their position.</summary>
    public void SendPositions()
    {
        if (!_hasPassed)
        {
            return;
        }

        _hasPassed = false;
        foreach (var consumer in dispatcher.Live())
        {
            if (consumer.Passed is { Offset: > 0 } passed && !consumer.HasLeft)
            {
                PassedNotice.SendIfDue(consumer, dispatcher.Time);
                _hasPassed |= passed.Offset > 0;
            }
        }

        if (_hasPassed && (_lookedAt == 0 || dispatcher.Time.GetElapsedTime(_lookedAt) >= PassedMessages.AgeMax))
        {
            // One timer at a time, however many rounds there are.
            _lookedAt = dispatcher.Time.GetTimestamp();
            dispatcher.SignalIn(PassedMessages.AgeMax);
        }
    }

    private void NotifyWatchers(IReadOnlyList<Message> messages, int consumers)
    {
        if (tails.Watches(dispatcher.Queue))
        {
            var to = consumers == 1 ? "1 consumer" : string.Create(CultureInfo.InvariantCulture, $"{consumers} consumers");
            foreach (var message in messages)
            {
                tails.OnHandedOut(message, to);
            }
        }
    }

    private sealed class Round(Stretch[] stretches, MemoryBudget memory, string epoch, TimeProvider time) : FanOut(memory)
    {
        private int _overHalf;
        private long _leftOut;

        public int OverHalf => _overHalf;

        /// <summary>Messages that filters left out, over all consumers.</summary>
        public long LeftOut => _leftOut;

        private static OfferOutcome Offer(Consumer consumer, MessageBatch batch)
        {
            if (consumer.Member is null)
            {
                return consumer.Buffer.Offer(batch.PageFor(consumer.Format), consumer, observer: null, evenIfFull: false);
            }

            var outcome = OfferOutcome.Written;
            foreach (var page in batch.PagesFor(consumer.Format, consumer.Member.Set.StampsEach))
            {
                outcome = consumer.Buffer.Offer(page, consumer, observer: null, evenIfFull: false);
                if (outcome == OfferOutcome.NoRoom)
                {
                    consumer.Dispatcher!.FallBehind(consumer, page.Epoch!, page.FirstOffset);
                    break;
                }
            }

            return outcome;
        }

        protected override void Give(Consumer consumer)
        {
            if (consumer.HasLeft)
            {
                return;
            }

            var outcome = OfferOutcome.Written;
            foreach (var stretch in stretches)
            {
                if (stretch.Before is { } gap)
                {
                    consumer.Dispatcher!.Counts.AddGap(gap.Cause);
                    _ = consumer.Buffer.Offer(consumer.Format.EncodeGap(consumer.Queue, gap), consumer);
                }

                var batch = consumer.Passed is null ? stretch.Batch : PassedNotice.Select(consumer, stretch, epoch, time);
                if (batch is not null)
                {
                    outcome = Offer(consumer, batch);
                    if (outcome == OfferOutcome.NoRoom)
                    {
                        break;
                    }

                    consumer.OnBroadcast(batch.Count);
                }

                if (consumer.Passed is not null)
                {
                    PassedNotice.SendIfDue(consumer, time);
                    _ = Interlocked.Add(ref _leftOut, stretch.Batch.Count - (batch?.Count ?? 0));
                }
            }

            if (outcome == OfferOutcome.Queued && consumer.Buffer.IsOverHalf)
            {
                _ = Interlocked.Increment(ref _overHalf);
            }
        }
    }
}
