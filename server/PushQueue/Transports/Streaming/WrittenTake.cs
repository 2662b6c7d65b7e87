using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Transports.Streaming;

/// <summary>A take whose answer is a frame of a socket.</summary>
internal sealed class WrittenTake(PendingTake take) : IWriteObserver
{
    /// <summary>Null where nothing depends on the answer.</summary>
    public static WrittenTake? Of(PendingTake? take) => take is { IsHeld: true } ? new WrittenTake(take) : null;

    public void OnWritten() => _ = take.SettleAsync(written: true);

    public void OnNotWritten() => _ = take.SettleAsync(written: false);
}
