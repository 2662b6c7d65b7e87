using PushQueue.Queues;
using PushQueue.Storage.Embedded.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>What to await and answer after a batch put.</summary>
/// <param name="Outcomes">One for each message.</param>
/// <param name="Batch">What to await; null where all messages are durable already.</param>
/// <param name="Repeated">The messages that this batch repeats and that are not durable yet.</param>
internal readonly record struct PutManyTicket(PutOutcome[] Outcomes, LogBatch? Batch, IReadOnlyList<StoredMessage> Repeated);
