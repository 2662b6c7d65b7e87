using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.InProcess;

/// <summary>Messages for consumers in this process: nothing is encoded, pages hold the messages themselves.</summary>
internal sealed class InProcessFormat : MessageFormat
{
    private InProcessFormat()
    {
    }

    public static MessageFormat Instance { get; } = new InProcessFormat();

    public override EncodedPage Encode(ReadOnlySpan<PushedMessage> messages) => new InProcessPage(messages.ToArray());

    public override EncodedPage EncodeGap(QueueName queue, in Gap gap)
    {
        var missed = gap.From > 0;
        return new InProcessPage(
            new Client.Gap(
                queue.Value, missed ? gap.From : null, missed ? gap.To : null, missed ? gap.Count : null, CauseOf(gap.Cause)),
            gap.From, gap.To);
    }

    /// <summary>The consumer knows where it begins: it is in the same process.</summary>
    public override EncodedPage? EncodeOpening(QueueName queue, in Opening opening) => null;

    public override EncodedPage EncodePosition(QueueName queue, Cursor cursor) => new InProcessPage(cursor);

    public override EncodedPage EncodeCancel(QueueName queue, MessageId id) => new InProcessPage(id);

    public override EncodedPage EncodeClose(QueueName? queue, CloseReason reason) => new InProcessPage(reason);

    public override void WriteMessage(PageWriter writer, in PushedMessage pushed) => throw NoBytes();

    public override void WriteEvent(PageWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> json, Cursor? cursor = null) =>
        throw NoBytes();

    private static string CauseOf(GapCause cause) => cause switch
    {
        GapCause.Expired => "expired",
        GapCause.Overflow => "overflow",
        _ => "reset",
    };

    private static InvalidOperationException NoBytes() => new("Pages for this process are made of objects, not of bytes.");
}
