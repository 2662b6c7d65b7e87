using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The answer to a batch put, and what it waits for.</summary>
/// <param name="Outcomes">One for each message.</param>
/// <param name="Batch">The batch to wait for; null if all messages are durable already.</param>
/// <param name="Repeated">The messages that this batch repeats and that are not durable yet.</param>
internal readonly record struct PutManyTicket(PutOutcome[] Outcomes, LogBatch? Batch, IReadOnlyList<StoredMessage> Repeated);
