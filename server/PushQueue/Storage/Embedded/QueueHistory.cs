using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>Reads what a queue has broadcast. The result may be shown to no one before its batch is synced.</summary>
internal static class QueueHistory
{
    /// <summary>A stretch of history from that offset on, or from its beginning.</summary>
    public static OutgoingMessages ReadHistory(
        this EmbeddedQueue queue, long fromOffset, int count, int bytesMax, out BroadcastPosition position)
    {
        using var transaction = queue.Begin();
        var history = transaction.State.History;
        position = transaction.State.Position;
        return queue.Give(transaction.State, history.From(fromOffset), count, bytesMax);
    }

    /// <summary>The newest message of each key from that offset on.</summary>
    public static OutgoingMessages ReadLatest(
        this EmbeddedQueue queue, long fromOffset, int count, int bytesMax, out BroadcastPosition position)
    {
        using var transaction = queue.Begin();
        position = transaction.State.Position;
        return queue.Give(transaction.State, transaction.State.History.Latest(fromOffset), count, bytesMax);
    }

    private static OutgoingMessages Give(
        this EmbeddedQueue queue, QueueState state, IEnumerable<StoredMessage> messages, int count, int bytesMax)
    {
        var outgoing = queue.NewOutgoing();
        outgoing.Batch = ProofOfBroadcast(state);
        var bytes = 0L;
        foreach (var message in messages)
        {
            bytes += message.BodyLength;
            if (outgoing.Count == count || (outgoing.Count > 0 && bytes > bytesMax))
            {
                break;
            }

            outgoing.Add(message, message.Attempts + 1, queue.Name);
        }

        return outgoing;
    }

    /// <summary>The batch that proves the offsets of all that was broadcast.</summary>
    private static LogBatch? ProofOfBroadcast(QueueState state)
    {
        if (state.LastBroadcast is { IsOwed: true } && !state.Services.Log.DiskFull)
        {
            // Owed records go before all that is written now, so this record proves that they are there.
            state.LastBroadcast = state.Record();
        }

        return state.LastBroadcast;
    }
}
