using PushQueue.Load.Measuring;

namespace PushQueue.Load.Fanout;

/// <summary>
/// Deliveries to each subscriber: one ledger per reader thread, so that nothing here is shared while it is written. A bit per subscriber
/// and message, so a loss and a duplicate can never cancel out in a sum.
/// </summary>
internal sealed class DeliveryLedger(int messages)
{
    private readonly byte[] _timesSeen = new byte[messages];
    private long _delivered;

    internal int Messages => messages;

    internal LatencyHistogram Latencies { get; } = new();

    internal long Duplicates { get; private set; }

    internal long OutOfOrder { get; private set; }

    internal long LastAt { get; private set; }

    internal long Delivered => Volatile.Read(ref _delivered);

    internal ReadOnlySpan<byte> TimesSeen => _timesSeen;

    internal void Record(ulong[] seen, ref long last, long sequence, long sentAt, long receivedAt)
    {
        if ((ulong)sequence >= (ulong)messages)
        {
            return; // an earlier run's message
        }

        ref var word = ref seen[sequence >> 6];
        var bit = 1UL << (int)(sequence & 63);
        if ((word & bit) != 0)
        {
            Duplicates++;
            return;
        }

        word |= bit;
        OutOfOrder += sequence < last ? 1 : 0;
        last = Math.Max(last, sequence);
        _timesSeen[sequence] += _timesSeen[sequence] < byte.MaxValue ? (byte)1 : (byte)0;
        Latencies.Add(receivedAt - sentAt);
        LastAt = receivedAt;
        Volatile.Write(ref _delivered, _delivered + 1);
    }
}
