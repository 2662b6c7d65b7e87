using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Delivery;

/// <summary>A request for a stream over many queues.</summary>
/// <param name="Selection">The queues.</param>
/// <param name="Format">The form of their messages, one for streams over many.</param>
/// <param name="Options">The options, the same for each queue.</param>
/// <param name="Cursor">Where to resume; null where the options say where to begin.</param>
/// <param name="AdmitAsync">Prepares a queue that only a pattern names, before it joins. False where it cannot join.</param>
/// <param name="CountRoom">How many more queues the connection may subscribe to now.</param>
internal sealed record SetRequest(
    QueueSelection Selection,
    MessageFormat Format,
    ConsumerOptions Options,
    SetCursor? Cursor,
    Func<QueueName, ValueTask<bool>> AdmitAsync,
    Func<int> CountRoom);

/// <summary>The beginning of a stream over many queues.</summary>
/// <param name="Set">The queues; null where the stream could not begin.</param>
/// <param name="Cursor">Where the stream begins.</param>
/// <param name="IsTooMany">More queues match than a stream may have. Else the connection has a stream over many queues already.</param>
internal sealed record SetOpening(QueueSet? Set, string Cursor = "", bool IsTooMany = false)
{
    /// <summary>The names of the first queues.</summary>
    public QueueName[] Queues
    {
        get
        {
            var members = Set is null ? [] : Set.Members;
            var names = new QueueName[members.Length];
            for (var i = 0; i < names.Length; i++)
            {
                names[i] = members[i].Queue;
            }

            return names;
        }
    }

    /// <summary>The first page of a connection that has no other stream.</summary>
    public EncodedPage? Page => Set!.Format.EncodeOpening(Queues, Cursor);
}
