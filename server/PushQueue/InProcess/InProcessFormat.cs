using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.InProcess;

/// <summary>Messages for consumers in this process: nothing is encoded, pages hold the messages themselves.</summary>
internal sealed class InProcessFormat : MessageFormat
{
    private InProcessFormat(bool isOverMany) => IsOverMany = isOverMany;

    public static MessageFormat Instance { get; } = new InProcessFormat(isOverMany: false);

    /// <summary>For streams over many queues.</summary>
    public static MessageFormat Many { get; } = new InProcessFormat(isOverMany: true);

    public override bool IsOverMany { get; }

    /// <summary>With few queues each message has its exact cursor, as over server-sent events.</summary>
    public override bool StampsMessages => IsOverMany;

    public override EncodedPage Encode(ReadOnlySpan<PushedMessage> messages)
    {
        var page = new InProcessPage(messages.ToArray());
        if (IsOverMany && messages[^1] is { Message.Offset: > 0 } last)
        {
            page.Reach(last.Epoch, last.Message.Offset);
        }

        return page;
    }

    public override EncodedPage EncodeGap(QueueName queue, in Gap gap)
    {
        var missed = gap.From > 0;
        var page = new InProcessPage(
            new Client.Gap(
                queue.Value, missed ? gap.From : null, missed ? gap.To : null, missed ? gap.Count : null, CauseOf(gap.Cause)),
            gap.From, gap.To);
        if (IsOverMany)
        {
            page.Reach(gap.Cursor.Epoch, gap.Cursor.Offset);
        }

        return page;
    }

    public override EncodedPage EncodeCheckpoint(string cursor, bool ofNextMessage) => new InProcessPage(cursor);

    public override EncodedPage EncodeJoined(QueueName queue, Cursor position) =>
        new InProcessPage(new JoinedNotice(queue.Value, position.ToString()));

    /// <summary>The consumer knows where it begins: it is in the same process.</summary>
    public override EncodedPage? EncodeOpening(QueueName queue, in Opening opening) => null;

    public override EncodedPage? EncodePosition(QueueName queue, Cursor cursor) =>
        IsOverMany ? base.EncodePosition(queue, cursor) : new InProcessPage(cursor);

    public override EncodedPage EncodeCancel(QueueName queue, MessageId id) =>
        new InProcessPage(new CancelledNotice(queue.Value, id.ToString()));

    public override EncodedPage EncodeClose(QueueName? queue, CloseReason reason) =>
        new InProcessPage(IsOverMany && queue is { } left ? new LeftNotice(left.Value, reason.Name) : reason);

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
