using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The answer to a put, and what it waits for.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Duplicate">Whether nothing was stored.</param>
/// <param name="Batch">The batch to wait for; null if the message is durable already.</param>
/// <param name="Repeated">The message that this put repeats, while that is not durable yet.</param>
internal readonly record struct PutTicket(MessageId Id, bool Duplicate, LogBatch? Batch, StoredMessage? Repeated = null);
