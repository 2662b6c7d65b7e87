using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The answer to a put, and what it waits for.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Duplicate">Whether nothing was stored.</param>
/// <param name="Batch">The batch to wait for; null if the message is durable already.</param>
/// <param name="Repeated">The message that this put repeats, while that is not durable yet.</param>
/// <param name="Copies">Into how many subscribers the message was put, too.</param>
internal readonly record struct PutTicket(
    MessageId Id, bool Duplicate, LogBatch? Batch, StoredMessage? Repeated = null, int Copies = 0)
{
    /// <summary>Of a batch of one message.</summary>
    public static PutTicket Of(in PutManyTicket many) => new(
        many.Outcomes[0].Id,
        many.Outcomes[0].Duplicate,
        many.Batch,
        many.Repeated.Count > 0 ? many.Repeated[0] : null,
        many.Outcomes[0].Copies);
}
