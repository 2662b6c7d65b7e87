using PushQueue.Delivery.Encoding;

namespace PushQueue.InProcess;

/// <summary>The counterpart of one page of a wire: messages as objects, or one event.</summary>
internal sealed class InProcessPage : EncodedPage
{
    // The memory of a message without its body.
    private const int MessageBytes = 256;

    /// <summary>A page of messages, shared by all consumers in this process.</summary>
    public InProcessPage(PushedMessage[] messages)
        : base(BytesOf(messages), messages[0].Message.Offset, messages[^1].Message.Offset)
    {
        Messages = messages;
    }

    /// <summary>A page of one event.</summary>
    public InProcessPage(object notice, long firstOffset = 0, long lastOffset = 0)
        : base(MessageBytes, firstOffset, lastOffset)
    {
        Notice = notice;
    }

    public PushedMessage[] Messages { get; } = [];

    /// <summary>
    /// A <see cref="Client.Gap"/>, the <see cref="Cursor"/> of a stream whose filter left messages out, a <see cref="CancelledNotice"/> or
    /// a <see cref="CloseReason"/>; of a stream over many queues also its cursor as a text, a <see cref="JoinedNotice"/> or a
    /// <see cref="LeftNotice"/>.
    /// </summary>
    public object? Notice { get; }

    private static int BytesOf(PushedMessage[] messages)
    {
        var bytes = 0L;
        foreach (ref readonly var message in messages.AsSpan())
        {
            bytes += message.Message.Body.Length + MessageBytes;
        }

        return (int)Math.Min(int.MaxValue, bytes);
    }
}
