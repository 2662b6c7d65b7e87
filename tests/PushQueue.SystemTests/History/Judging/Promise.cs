namespace PushQueue.SystemTests.History.Judging;

/// <summary>The promise to the consumers of a queue.</summary>
internal enum Promise
{
    /// <summary>Leases and acks: at least once, and never again after an ack that was answered.</summary>
    Acked,

    /// <summary>
    /// As <see cref="Acked"/>, with keys (<see cref="MessageKeys"/>): a message comes only after its predecessor of the key was acked or
    /// became a dead letter.
    /// </summary>
    Ordered,

    /// <summary>
    /// Pushed under roundrobin without acks, over connections that only the death of a server ends: what was written is gone, what was not
    /// comes again. Twice only across a death.
    /// </summary>
    Pushed,

    /// <summary>Taken for good: at most once, in order; lost only with an answer that got lost.</summary>
    Taken,

    /// <summary>Broadcast with a cursor: each consumer gets everything once, in one order, or a gap.</summary>
    Broadcast,

    /// <summary>The same with a history that reaches back over the whole run: nobody misses anything.</summary>
    Kept,
}
