using System.Buffers;
using System.Runtime.InteropServices;

namespace PushQueue.Storage.Log;

/// <summary>Removes the records that only add from a batch that a full disk refused, and keeps the others.</summary>
internal static class FullDiskBatch
{
    /// <param name="batch">The batch.</param>
    /// <param name="onlyAdds">The types of records that only add.</param>
    public static void DropAdditions(LogBatch batch, IReadOnlySet<byte> onlyAdds)
    {
        var refused = batch.Located.ToArray();
        batch.Located.Clear();
        var kept = new List<LogBatch.Chunk>();
        var place = 0L;
        foreach (var chunk in batch.Chunks)
        {
            var copy = new LogBatch.Chunk(ArrayPool<byte>.Shared.Rent(chunk.Length));
            var rest = chunk.Buffer.AsSpan(0, chunk.Length);
            while (!rest.IsEmpty)
            {
                var record = rest[..(RecordHeader.Size + RecordHeader.PayloadLength(rest))];
                if (!onlyAdds.Contains(record[2]) && place < batch.ClosingFrom)
                {
                    record.CopyTo(copy.Buffer.AsSpan(copy.Length));
                    copy.Length += record.Length;
                }

                place += record.Length;
                rest = rest[record.Length..];
            }

            kept.Add(copy);
        }

        batch.KeepOnly(kept);
        foreach (ref readonly var added in refused.AsSpan())
        {
            added.Owner.OnRefused(MemoryMarshal.CreateReadOnlySpan(in added, 1));
        }

        batch.CompleteAdditions(CommitOutcome.DiskFull);
    }
}
