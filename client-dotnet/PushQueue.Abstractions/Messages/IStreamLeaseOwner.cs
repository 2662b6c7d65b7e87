namespace PushQueue.Client;

/// <summary>Settles the leases of a stream's messages.</summary>
internal interface IStreamLeaseOwner : ILeaseOwner
{
    /// <summary>Acks a message together with others. Returns at once.</summary>
    void Ack(Message message, IAckObserver observer);
}
