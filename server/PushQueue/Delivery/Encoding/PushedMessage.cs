using PushQueue.Queues;

namespace PushQueue.Delivery.Encoding;

/// <summary>A message on its way to consumers, with what all formats need to know of it.</summary>
/// <param name="Message">The message.</param>
/// <param name="Kind">How its body is shown.</param>
/// <param name="Epoch">The queue's epoch, for the cursor of a broadcast message.</param>
/// <param name="Receipt">Under manual ack; else none.</param>
/// <param name="Now">When the round began; tells whether the message waited.</param>
internal readonly record struct PushedMessage(Message Message, BodyKind Kind, string Epoch, Receipt Receipt, DateTimeOffset Now)
{
    /// <summary>A put that goes out at once needs no time of its own; one that waited longer than this tells when it was put.</summary>
    private static readonly TimeSpan WaitedMin = TimeSpan.FromSeconds(1);

    public bool Waited => Now - Message.EnqueuedAt >= WaitedMin;
}
