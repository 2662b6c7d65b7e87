using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// Brings one consumer from where it wants to begin to the live stream: history page by page, as fast as its buffer takes it, until its
/// position is the offset that the next round begins with. A gap reports what history no longer holds.
/// </summary>
internal sealed class CatchUp(Consumer consumer, QueueDispatcher dispatcher, IMessageStore store, TimeProvider time)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private string _epoch = string.Empty;
    private bool _started;
    private long _position;
    private long _latest;

    // A stream over many queues reads less at once, because several of its queues may read at the same time.
    private const int SharedBytesMax = RoundLimits.BytesMax / 4;

    /// <summary>Continues from a position that was reached already.</summary>
    public async Task ContinueAsync(string epoch, long offset, FaultBorder faults)
    {
        // The caller gives out messages to other consumers.
        await Task.Yield();
        (_epoch, _position, _started) = (epoch, offset, true);
        await RunAsync(faults);
    }

    public async Task RunAsync(FaultBorder faults)
    {
        try
        {
            while (!await TryCatchUpAsync())
            {
                // The store is out of reach; the connection stays.
                await Task.Delay(RetryInterval, time);
            }

            consumer.CatchUpOffset = 0;
        }
        catch (Exception e)
        {
            // The border of this loop. The client keeps its cursor and connects again. A stream over many queues loses only this one.
            faults.Report(consumer.Queue, e);
            if (consumer.Member is { } member)
            {
                member.Set.Failed?.Invoke(consumer);
            }
            else
            {
                consumer.Buffer.Close(CloseReason.ServerError, keepWaiting: false);
            }
        }
    }

    /// <summary>False if the store was out of reach; the next call continues.</summary>
    private async Task<bool> TryCatchUpAsync()
    {
        try
        {
            if (!_started)
            {
                await StartAsync();
                _started = true;
            }

            while (!consumer.HasLeft && consumer.Buffer.IsOpen && !dispatcher.TryGoLive(consumer, _epoch, _position, out var ahead))
            {
                consumer.CatchUpOffset = _position;
                if (!(consumer.Member is null ? await ReadWithRoomAsync() : await ReadInTurnAsync(consumer.Member.Set)))
                {
                    // Neither history nor the dispatcher is ahead: the dispatcher's knowledge is out of date.
                    await (ahead ?? dispatcher.LookAgainAsync());
                }
            }

            return true;
        }
        catch (StoreUnavailableException)
        {
            return consumer.HasLeft || !consumer.Buffer.IsOpen;
        }
    }

    private async ValueTask StartAsync()
    {
        var from = consumer.Options.From;
        var info = await store.GetQueueAsync(consumer.Queue);
        var position = info?.Position ?? new BroadcastPosition(string.Empty, 1, 1);
        _epoch = position.Epoch;
        switch (from.Kind)
        {
            case StartKind.Earliest:
                _position = position.FirstOffset;
                break;
            case StartKind.Back:
                _position = Math.Max(position.FirstOffset, position.NextOffset - from.Offset);
                break;
            case StartKind.LatestPerKey:
                // Once: what is broadcast while the store is out of reach comes behind the first position.
                _position = _position == 0 ? position.NextOffset : _position;
                await GiveLatestAsync();
                break;
            case StartKind.Offset when from.Offset <= position.NextOffset:
            case StartKind.Cursor
                when (from.Epoch == position.Epoch || from.Epoch == Cursor.NewQueue) && from.Offset <= position.NextOffset:
                _position = from.Offset;
                break;
            default:
                // A place that was never reached: the offsets that the consumer knows are another queue's.
                _position = position.FirstOffset;
                SendGap(new Gap(GapCause.Reset, 0, 0, Cursor.Of(_epoch, _position - 1)));
                break;
        }
    }

    /// <summary>
    /// Gives the newest message of each key that was broadcast before the position. A message that got a successor meanwhile is left out:
    /// the successor comes behind the position. They have no cursors, because a client that resumed by one would miss those behind it.
    /// </summary>
    private async ValueTask GiveLatestAsync()
    {
        while (!consumer.HasLeft && consumer.Buffer.IsOpen)
        {
            await consumer.Buffer.WaitForRoomAsync();
            var page = await store.ReadLatestAsync(consumer.Queue, _latest, RoundLimits.MessagesMax, RoundLimits.BytesMax);
            var messages = page?.Messages.TakeWhile(message => message.Offset < _position).ToList() ?? [];
            if (messages.Count == 0)
            {
                break;
            }

            _latest = messages[^1].Offset + 1;
            if (new MessageBatch(messages, string.Empty, store.Now).Matching(consumer.Options.Filter) is { } batch)
            {
                _ = consumer.Buffer.Offer(batch.PageFor(consumer.Format), consumer);
                consumer.OnBroadcast(batch.Count);
                dispatcher.Counts.AddDelivered(batch.Count);
            }
        }

        if (consumer.Format.EncodePosition(consumer.Queue, Cursor.Of(_epoch, _position - 1)) is { } here)
        {
            _ = consumer.Buffer.Offer(here, consumer);
        }
    }

    private async ValueTask<bool> ReadWithRoomAsync()
    {
        await consumer.Buffer.WaitForRoomAsync();
        return await ReadOnAsync(RoundLimits.BytesMax);
    }

    private async ValueTask<bool> ReadInTurnAsync(QueueSet set)
    {
        await set.CatchUpTurns.WaitAsync();
        try
        {
            await consumer.Buffer.WaitForRoomAsync();
            return consumer.HasLeft || await ReadOnAsync(SharedBytesMax);
        }
        finally
        {
            _ = set.CatchUpTurns.Release();
        }
    }

    /// <summary>One page of history; false where history does not reach this position yet.</summary>
    private async ValueTask<bool> ReadOnAsync(int bytesMax)
    {
        var page = await store.ReadHistoryAsync(consumer.Queue, _position, RoundLimits.MessagesMax, bytesMax);
        if (page is null)
        {
            return false;
        }

        if ((page.Position.Epoch != _epoch && _epoch.Length > 0) || page.Position.NextOffset < _position)
        {
            // The store has lost offsets, or another queue has taken the name.
            _epoch = page.Position.Epoch;
            _position = Math.Max(page.Position.FirstOffset, Math.Min(_position, page.Position.EpochOffset));
            SendGap(new Gap(GapCause.Reset, 0, 0, Cursor.Of(_epoch, _position - 1)));
            return true;
        }

        _epoch = page.Position.Epoch;
        if (page.Messages.Count == 0)
        {
            if (page.Position.NextOffset <= _position)
            {
                return false;
            }

            SendGap(new Gap(GapCause.Expired, _position, page.Position.NextOffset - 1, Cursor.Of(_epoch, page.Position.NextOffset - 1)));
            _position = page.Position.NextOffset;
            return true;
        }

        foreach (var stretch in Stretch.Cut(page.Messages, _position, page.Position.Epoch, store.Now))
        {
            if (stretch.Before is { } gap)
            {
                SendGap(gap);
            }

            var batch = consumer.Passed is null ? stretch.Batch : PassedNotice.Select(consumer, stretch, _epoch, time);
            if (batch is not null)
            {
                foreach (var encoded in batch.PagesFor(consumer.Format, consumer.Member is { Set.StampsEach: true }))
                {
                    _ = consumer.Buffer.Offer(encoded, consumer);
                }

                consumer.OnBroadcast(batch.Count);
                dispatcher.Counts.AddDelivered(batch.Count);
            }

            if (consumer.Passed is not null)
            {
                PassedNotice.SendIfDue(consumer, time);
            }

            _position = stretch.NextOffset;
        }

        return true;
    }

    private void SendGap(Gap gap)
    {
        consumer.Passed?.Reported(gap.Cursor.Offset);
        dispatcher.Counts.AddGap(gap.Cause);
        _ = consumer.Buffer.Offer(consumer.Format.EncodeGap(consumer.Queue, gap), consumer);
    }
}
