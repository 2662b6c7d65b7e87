namespace PushQueue.Client;

/// <summary>Messages where they rest, queues, settings and the node. Calls throw <see cref="PushQueueException"/> for what is
/// refused.</summary>
public interface IPushQueueAdmin
{
    /// <summary>Reads a queue's messages without taking them, in the order of delivery.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="state"><c>ready</c>, <c>delayed</c>, <c>leased</c>, <c>dead</c> or <c>history</c>.</param>
    /// <param name="pageSize">How many are read at once; 1 to 1000.</param>
    /// <param name="cancellationToken">Ends it.</param>
    IAsyncEnumerable<Message> BrowseAsync(
        string queue, string state = "ready", int pageSize = 100, CancellationToken cancellationToken = default);

    /// <summary>Reads one message; null where it is not live.</summary>
    Task<Message?> FindAsync(string queue, string id, CancellationToken cancellationToken = default);

    /// <summary>Cancels a message in whatever state it is.</summary>
    /// <returns>False if there is no such message.</returns>
    Task<bool> CancelAsync(string queue, string id, CancellationToken cancellationToken = default);

    /// <summary>Has a message become available after <paramref name="delay"/> from now.</summary>
    Task RescheduleAsync(string queue, string id, TimeSpan delay, CancellationToken cancellationToken = default);

    /// <summary>Has a message become available at that time, by the server's clock.</summary>
    Task RescheduleAsync(string queue, string id, DateTimeOffset at, CancellationToken cancellationToken = default);

    /// <summary>Puts dead letters back into the queue that they came from.</summary>
    /// <param name="queue">The queue, or its dead-letter queue.</param>
    /// <param name="id">One of them; null for all.</param>
    /// <param name="count">At most this many; null for all.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>How many went back.</returns>
    Task<long> ReplayAsync(string queue, string? id = null, int? count = null, CancellationToken cancellationToken = default);

    /// <summary>All queues, in the order of their names.</summary>
    IAsyncEnumerable<QueueInfo> ListQueuesAsync(CancellationToken cancellationToken = default);

    /// <summary>One queue; null where it does not exist.</summary>
    Task<QueueInfo?> GetQueueAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>The keys of a queue that have live messages, in the order of their UTF-8 bytes.</summary>
    IAsyncEnumerable<KeyInfo> ListKeysAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>Empties a queue, which stays with its settings, history and consumers.</summary>
    /// <returns>How many messages are gone.</returns>
    Task<long> PurgeAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>Deletes a queue: its messages, history and settings are gone, and its streams end.</summary>
    Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>A queue's settings.</summary>
    Task<QueueSettings> GetSettingsAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>Changes some of a queue's settings, and makes the queue where it does not exist.</summary>
    /// <returns>All its settings.</returns>
    Task<QueueSettings> ChangeSettingsAsync(string queue, QueueSettingsChange change, CancellationToken cancellationToken = default);

    /// <summary>The consumers of a queue; where nodes share their queues over Redis, those of all nodes.</summary>
    Task<IReadOnlyList<ConsumerInfo>> GetConsumersAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>The presence of a queue: its consumers, for every client that may listen to it.</summary>
    Task<PresenceInfo> GetPresenceAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>The workers, and the consumers of all queues; where nodes share their queues over Redis, those of all nodes.</summary>
    Task<WorkerList> GetWorkersAsync(CancellationToken cancellationToken = default);

    /// <summary>The node that answers, and the sums over its queues.</summary>
    Task<NodeStats> GetStatsAsync(CancellationToken cancellationToken = default);
}
