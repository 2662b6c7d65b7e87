using PushQueue.Delivery.Encoding;

namespace PushQueue.Delivery;

/// <summary>Sends a gap to consumers, in line with their messages.</summary>
internal static class GapNotice
{
    public static void Send(Consumer[] consumers, Gap gap)
    {
        foreach (var consumer in consumers)
        {
            if (!consumer.HasLeft)
            {
                consumer.Passed?.Reported(gap.Cursor.Offset);
                consumer.Dispatcher!.Counts.AddGap(gap.Cause);
                _ = consumer.Buffer.Offer(consumer.Format.EncodeGap(consumer.Queue, gap), consumer);
            }
        }
    }
}
