using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>The result of putting a page: the rows that are in the queue, those that were refused, and why the rest waits.</summary>
internal sealed class PutOutcome
{
    public List<Guid> Put { get; } = [];

    public List<(OutboxMessage Row, string Reason)> Refused { get; } = [];

    /// <summary>Null where no row waits.</summary>
    public PushQueueException? Failure { get; set; }
}
