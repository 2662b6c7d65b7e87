using PushQueue.Delivery.Encoding;

namespace PushQueue.Delivery;

/// <summary>Selects the broadcast messages of a consumer with a filter, and sends its position if it gets none for a while.</summary>
internal static class PassedNotice
{
    /// <summary>The messages of a stretch that the consumer gets; null for none.</summary>
    public static MessageBatch? Select(Consumer consumer, Stretch stretch, string epoch, TimeProvider time)
    {
        var batch = stretch.Batch.Matching(consumer.Options.Filter);
        if (stretch.Before is { } gap)
        {
            consumer.Passed!.Reported(gap.To);
        }

        if (batch is not null)
        {
            consumer.Passed!.Reported(batch.LastOffset);
        }

        if (batch?.LastOffset != stretch.Batch.LastOffset)
        {
            consumer.Passed!.Pass(epoch, stretch.Batch.LastOffset, time);
        }

        return batch;
    }

    /// <summary>Sends the consumer its position, if that is due.</summary>
    public static void SendIfDue(Consumer consumer, TimeProvider time)
    {
        if (consumer.Passed!.TakeDue(time) is { } cursor && consumer.Format.EncodePosition(consumer.Queue, cursor) is { } page)
        {
            _ = consumer.Buffer.Offer(page, consumer);
        }
    }
}
