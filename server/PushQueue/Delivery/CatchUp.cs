using Microsoft.Extensions.Logging;
using PushQueue.Delivery.Encoding;
using PushQueue.Delivery.Policies;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// Brings one consumer from where it wants to begin to the live stream: history page by page, as fast as its buffer takes it, until its
/// position is the offset that the next round begins with. What history no longer holds is told as a gap.
/// </summary>
internal sealed class CatchUp(Consumer consumer, QueueDispatcher dispatcher, IMessageStore store, TimeProvider time)
{
    private long _position;

    public async Task RunAsync(ILogger logger)
    {
        try
        {
            await StartAsync();
            while (!consumer.HasLeft && consumer.Buffer.IsOpen && !dispatcher.TryGoLive(consumer, _position, out var ahead))
            {
                consumer.CatchUpOffset = _position;
                await consumer.Buffer.WaitForRoomAsync();
                if (!await ReadOnAsync() && ahead is not null)
                {
                    await ahead;
                }
            }

            consumer.CatchUpOffset = 0;
        }
        catch (Exception e)
        {
            // The border of this loop. The client keeps its cursor and comes back.
            Log.CatchUpFailed(logger, e, consumer.Queue.Value);
            consumer.Buffer.Close(CloseReason.ServerError, keepWaiting: false);
        }
    }

    private async ValueTask StartAsync()
    {
        var from = consumer.Options.From;
        var info = await store.GetQueueAsync(consumer.Queue);
        var position = info?.Position ?? new BroadcastPosition(string.Empty, 1, 1);
        switch (from.Kind)
        {
            case StartKind.Earliest:
                _position = position.FirstOffset;
                break;
            case StartKind.Offset:
                // An offset that was never given out: whoever asks for it gets what comes.
                _position = Math.Min(from.Offset, position.NextOffset);
                break;
            case StartKind.Cursor when from.Epoch == position.Epoch && from.Offset <= position.NextOffset:
                _position = from.Offset;
                break;
            default:
                _position = position.FirstOffset;
                Tell(new Gap(GapCause.Reset, 0, 0));
                break;
        }
    }

    /// <summary>One page of history; false where there is none at this position yet.</summary>
    private async ValueTask<bool> ReadOnAsync()
    {
        var page = await store.ReadHistoryAsync(consumer.Queue, _position, BroadcastPolicy.RoundMessagesMax, BroadcastPolicy.RoundBytesMax);
        if (page is null)
        {
            return false;
        }

        var reaches = page.Messages.Count > 0 ? page.Messages[0].Offset : page.Position.NextOffset;
        if (reaches > _position)
        {
            Tell(new Gap(GapCause.Expired, _position, reaches - 1));
            _position = reaches;
        }

        if (page.Messages.Count == 0)
        {
            return false;
        }

        var batch = new MessageBatch(page.Messages, page.Position.Epoch, time.GetUtcNow());
        _ = consumer.Buffer.Offer(batch.PageFor(consumer.Format), consumer);
        consumer.OnBroadcast(page.Messages.Count);
        _position = page.Messages[^1].Offset + 1;
        return true;
    }

    private void Tell(Gap gap) => _ = consumer.Buffer.Offer(consumer.Format.EncodeGap(consumer.Queue, gap), consumer);
}
