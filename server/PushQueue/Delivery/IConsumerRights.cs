using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>
/// The rights of the client of one connection. Rules change while a stream is open; it ends within two seconds of losing its right.
/// </summary>
internal interface IConsumerRights
{
    /// <summary>Whether the client may be here at all. Asked once a second; cheap while nothing has changed.</summary>
    bool MayStay { get; }

    /// <summary>Another number whenever <see cref="MayListen"/> may say something else than before.</summary>
    int Version { get; }

    /// <summary>Whether it may have a queue's messages pushed.</summary>
    bool MayListen(QueueName queue);
}
