using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>Broadcast messages whose offsets follow one another, and the gap that is reported before them.</summary>
/// <param name="Before">The offsets whose messages the disk has damaged; null without such.</param>
/// <param name="Batch">The messages.</param>
/// <param name="NextOffset">The offset behind them.</param>
internal sealed record Stretch(Gap? Before, MessageBatch Batch, long NextOffset)
{
    /// <summary>Cuts messages into stretches. Nearly always there is one, without a gap.</summary>
    /// <param name="messages">In the order of their offsets; at least one.</param>
    /// <param name="expected">The offset that should come first; a first message from before it makes no gap.</param>
    /// <param name="epoch">The epoch of the offsets.</param>
    /// <param name="now">When the messages are handed out.</param>
    public static Stretch[] Cut(IReadOnlyList<Message> messages, long expected, string epoch, DateTimeOffset now)
    {
        if (messages[0].Offset <= expected && messages[^1].Offset - messages[0].Offset + 1 == messages.Count)
        {
            return [new Stretch(null, new MessageBatch(messages, epoch, now), messages[^1].Offset + 1)];
        }

        var stretches = new List<Stretch>();
        var run = new List<Message>();
        var gap = GapBefore(messages[0], expected, epoch);
        foreach (var message in messages)
        {
            if (run.Count > 0 && message.Offset != run[^1].Offset + 1)
            {
                Finish();
                gap = GapBefore(message, run[^1].Offset + 1, epoch);
                run = [];
            }

            run.Add(message);
        }

        Finish();
        return [.. stretches];

        void Finish() => stretches.Add(new Stretch(gap, new MessageBatch(run, epoch, now), run[^1].Offset + 1));
    }

    private static Gap? GapBefore(Message message, long expected, string epoch) => message.Offset > expected
        ? new Gap(GapCause.Expired, expected, message.Offset - 1, Cursor.Of(epoch, message.Offset - 1))
        : null;
}
