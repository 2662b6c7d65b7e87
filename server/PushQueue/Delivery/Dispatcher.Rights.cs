using PushQueue.Delivery.Encoding;

namespace PushQueue.Delivery;

/// <summary>Ends what a client has lost the right to.</summary>
internal sealed partial class Dispatcher
{
    /// <summary>Once a second for each connection: ends it where its key is gone, or subscriptions that the key no longer allows.</summary>
    public void EndWhatIsForbidden(OutboundBuffer buffer)
    {
        var rights = buffer.Connection.Rights;
        var version = rights.Version;
        if (!rights.MayStay)
        {
            // This client may not get the waiting messages any more.
            foreach (var consumer in buffer.Consumers.ToArray())
            {
                Unsubscribe(consumer);
            }

            buffer.Close(CloseReason.AccessEnded, keepWaiting: false);
            return;
        }

        if (buffer.RightsChecked == version)
        {
            return;
        }

        buffer.RightsChecked = version;
        foreach (var consumer in buffer.Consumers)
        {
            if (!rights.MayListen(consumer.Queue))
            {
                EndSubscription(consumer, CloseReason.AccessEnded);
            }
        }

        buffer.Set?.RightsChanged?.Invoke();
    }
}
