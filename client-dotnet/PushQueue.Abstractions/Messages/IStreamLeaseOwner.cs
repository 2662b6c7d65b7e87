namespace PushQueue.Client;

/// <summary>Settles the leases of a stream's messages.</summary>
internal interface IStreamLeaseOwner : ILeaseOwner
{
    /// <summary>Acks a message together with others. Returns at once.</summary>
    void Ack(Message message, IAckObserver observer);

    /// <summary>Extends the leases of messages of one queue. Those whose lease is lost end.</summary>
    Task TouchManyAsync(IReadOnlyList<Message> messages, TimeSpan timeToRun, CancellationToken cancellationToken);
}
