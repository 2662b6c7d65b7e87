using System.Buffers;
using System.Runtime.InteropServices;

namespace PushQueue.Storage.Embedded.Log;

/// <summary>What is left of a batch when the disk is full: everything but the records that only add messages.</summary>
internal static class FullDiskBatch
{
    public static void DropAdditions(LogBatch batch)
    {
        var refused = batch.Located.ToArray();
        batch.Located.Clear();
        var kept = new List<LogBatch.Chunk>();
        foreach (var chunk in batch.Chunks)
        {
            var copy = new LogBatch.Chunk(ArrayPool<byte>.Shared.Rent(chunk.Length));
            var rest = chunk.Buffer.AsSpan(0, chunk.Length);
            while (!rest.IsEmpty)
            {
                var record = rest[..(RecordHeader.Size + RecordHeader.PayloadLength(rest))];
                if (!OnlyAdds(record))
                {
                    record.CopyTo(copy.Buffer.AsSpan(copy.Length));
                    copy.Length += record.Length;
                }

                rest = rest[record.Length..];
            }

            kept.Add(copy);
        }

        batch.KeepOnly(kept);
        foreach (ref readonly var message in refused.AsSpan())
        {
            message.Owner.OnRefused(MemoryMarshal.CreateReadOnlySpan(in message, 1));
        }

        batch.CompleteAdditions(CommitOutcome.DiskFull);
    }

    private static bool OnlyAdds(ReadOnlySpan<byte> record) =>
        (RecordType)record[2] is RecordType.Message or RecordType.BatchStart or RecordType.BatchEnd;
}
