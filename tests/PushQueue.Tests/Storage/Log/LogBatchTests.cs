using PushQueue.Queues;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;
using Xunit;

namespace PushQueue.Tests.Storage.Log;

public sealed class LogBatchTests
{
    [Fact]
    public void Records_that_were_owed_come_behind_both_headers_of_a_new_segment_and_before_its_own()
    {
        var owing = new LogBatch(NewSegment(1), start: 0);
        Append(owing, RecordType.Removed);
        var batch = new LogBatch(NewSegment(2), start: 0) { BeginsSegment = true };
        new LogAppender(null!, batch).SegmentHeaders(
            new SegmentHeader(SegmentHeader.CurrentVersion, 2, DurabilityMode.Memory, "boot", Salt: 5));
        Append(batch, RecordType.CleanStop);
        var length = batch.Length + owing.Length;

        batch.Prepend([.. owing.TakeChunks()]);

        Assert.Equal([RecordType.SegmentHeader, RecordType.SegmentHeader, RecordType.Removed, RecordType.CleanStop], TypesOf(batch));
        Assert.Equal(length, batch.Length);
    }

    [Fact]
    public void A_batch_that_moves_to_a_new_segment_begins_it()
    {
        var batch = new LogBatch(NewSegment(1), start: 100);
        Append(batch, RecordType.CleanStop);
        var headers = new LogBatch(NewSegment(2), start: 0) { BeginsSegment = true };
        new LogAppender(null!, headers).SegmentHeaders(
            new SegmentHeader(SegmentHeader.CurrentVersion, 2, DurabilityMode.Memory, "boot", Salt: 5));

        batch.MoveBehind(headers);

        Assert.True(batch.BeginsSegment);
        Assert.Equal([RecordType.SegmentHeader, RecordType.SegmentHeader, RecordType.CleanStop], TypesOf(batch));
    }

    private static Segment NewSegment(int number) => new(number, path: string.Empty);

    private static void Append(LogBatch batch, RecordType type)
    {
        RecordHeader.Write(batch.Reserve(RecordHeader.Size), (byte)type, payloadLength: 0);
        _ = batch.Commit(RecordHeader.Size);
    }

    private static List<RecordType> TypesOf(LogBatch batch)
    {
        var types = new List<RecordType>();
        foreach (var chunk in batch.Chunks)
        {
            for (var at = 0; at < chunk.Length; at += RecordHeader.Size + RecordHeader.PayloadLength(chunk.Buffer.AsSpan(at)))
            {
                types.Add((RecordType)chunk.Buffer[at + 2]);
            }
        }

        return types;
    }
}
