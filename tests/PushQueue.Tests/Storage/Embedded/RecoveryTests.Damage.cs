using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Damage in one place must not cost what stands in another.</summary>
public sealed partial class RecoveryTests
{
    [Fact]
    public async Task A_flipped_bit_in_a_batch_costs_at_most_one_message_and_nothing_behind_the_batch()
    {
        var (before, after) = (0L, 0L);
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "before");
            before = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
            await store.PutManyAsync(Queue, [NewMessage("1"), NewMessage("2"), NewMessage("3")]).WithTimeout();
            after = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
            await PutAsync(store, "4");
            await PutAsync(store, "5");
        });

        for (var at = before; at < after; at++)
        {
            using var copy = CopyOf(original);
            FlipBit(Segments(copy.Path)[0], at);
            using var log = new VerifyingLogger();
            var taken = await RecoverAsync(copy.Path, TakeAllAsync, log);

            Assert.True(taken.Count >= 5, $"A flipped bit in byte {at} ({before} to {after}) left only: {string.Join(", ", taken)}");
            Assert.Equal(["4", "5"], taken.TakeLast(2));
            Assert.Contains(log.Entries, entry => entry.Level == LogLevel.Error);
        }
    }

    [Fact]
    public async Task A_batch_that_lost_a_message_and_its_end_keeps_the_rest_and_so_does_the_next()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await store.PutManyAsync(Queue, [NewMessage("1"), NewMessage("2"), NewMessage("<3>")]).WithTimeout();
            await store.PutManyAsync(Queue, [NewMessage("4"), NewMessage("5")]).WithTimeout();
        });
        var segment = Segments(original)[0];
        FlipBit(segment, IndexOf(segment, "<3>"));
        FlipBit(segment, RecordsIn(segment).First(record => record.Type == RecordType.BatchEnd).Offset + 2);

        var taken = await RecoverAsync(original, TakeAllAsync);

        Assert.Equal(["1", "2", "4", "5"], taken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_that_looks_like_records_is_not_read_as_records(bool torn)
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "before");
            await PutBytesAsync(store, ForgedMessage());
            await (torn ? Task.CompletedTask : PutAsync(store, "after"));
        });
        var segment = Segments(original)[0];
        if (torn)
        {
            Truncate(segment, new FileInfo(segment).Length - 1);
        }
        else
        {
            FlipBit(segment, RecordsIn(segment).Where(record => record.Type == RecordType.Message).ElementAt(1).Offset);
        }

        var taken = await RecoverAsync(original, TakeFromEveryQueueAsync);

        Assert.Equal(torn ? ["before"] : ["before", "after"], taken);
    }

    [Fact]
    public async Task A_damaged_body_full_of_marks_does_not_hold_up_the_start()
    {
        var marks = new byte[4 * 1024 * 1024];
        for (var at = 0; at < marks.Length; at += RecordHeader.Size)
        {
            var mark = new byte[RecordHeader.Size];
            RecordHeader.Write(mark, (byte)RecordType.Message, marks.Length - at - RecordHeader.Size);
            RecordHeader.WriteChecksum(mark, RecordHeader.FixedSalt);
            mark.AsSpan(0, Math.Min(mark.Length, marks.Length - at)).CopyTo(marks.AsSpan(at));
        }

        var original = await WriteAndCrashAsync(async store =>
        {
            await PutBytesAsync(store, marks);
            await PutAsync(store, "after");
        });
        var segment = Segments(original)[0];
        FlipBit(segment, RecordsIn(segment).First(record => record.Type == RecordType.Message).Offset);

        var taken = await RecoverAsync(original, TakeAllAsync);

        Assert.Equal(["after"], taken);
    }

    [Fact]
    public async Task A_segment_without_a_readable_header_is_reported_and_kept_unread()
    {
        var original = await WriteAndCrashAsync(async store => await PutBytesAsync(store, ForgedMessage()));
        var segment = Segments(original)[0];
        var headers = RecordsIn(segment).Where(record => record.Type == RecordType.SegmentHeader).ToList();
        headers.ForEach(header => FlipBit(segment, header.Offset + 5));
        var length = new FileInfo(segment).Length;
        using var log = new VerifyingLogger();
        log.ExpectError(segment);

        var taken = await RecoverAsync(original, TakeFromEveryQueueAsync, log);

        Assert.Equal(2, headers.Count);
        Assert.Empty(taken);
        Assert.Contains(log.Entries, entry => entry.Level == LogLevel.Error);
        Assert.Equal(length, new FileInfo(segment).Length);
        log.Verify();
    }

    [Fact]
    public async Task A_history_that_lost_its_last_message_tells_those_who_resume_of_a_gap()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "<a>");
            await PutAsync(store, "<b>");
            await store.BroadcastAsync(Queue, 2, 1000).WithTimeout();
        });
        var segment = Segments(original)[0];
        FlipBit(segment, IndexOf(segment, "<b>"));

        var page = await RecoverAsync(original, async store => (await store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout())!);

        Assert.Empty(page.Messages);
        Assert.Equal((3, 3), (page.Position.FirstOffset, page.Position.NextOffset));
    }

    [Fact]
    public async Task A_deleted_queue_that_damage_brings_back_takes_no_name_and_loses_no_message()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "old");
            await store.DeleteQueueAsync(Queue).WithTimeout();
            await PutAsync(store, "new");
        });
        var segment = Segments(original)[0];
        FlipBit(segment, RecordsIn(segment).Single(record => record.Type == RecordType.QueueDeleted).Offset);
        using var log = new VerifyingLogger();

        var (current, found) = await RecoverAsync(
            original,
            async store => (await TakeAllAsync(store),
                (await store.TakeAsync(QueueName.Parse("found.1"), 10, int.MaxValue).WithTimeout()).Value.Select(BodyOf).ToList()),
            log);

        Assert.Equal(["new"], current);
        Assert.Equal(["old"], found);
        Assert.Contains(log.Entries, entry => entry.Level == LogLevel.Error && entry.Text.Contains("found.1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_body_that_the_disk_does_not_give_costs_no_other_message_of_the_portion()
    {
        // Reading the first page of a process's memory is an input/output error, as a bad sector is.
        var bad = new Segment(1, "/proc/self/mem");
        bad.OpenFile(FileAccess.Read);
        var good = new Segment(2, _directory.File("segment")) { Salt = 7 };
        var record = new byte[RecordHeader.Size + 4];
        RecordHeader.Write(record, (byte)RecordType.Message, 4);
        "good"u8.CopyTo(record.AsSpan(RecordHeader.Size));
        RecordHeader.WriteChecksum(record, good.Salt);
        await File.WriteAllBytesAsync(good.Path, record, CancellationToken.None);
        good.OpenFile(FileAccess.Read);
        var outgoing = new OutgoingMessages(queue: null, new QueueClock(TimeProvider.System));
        outgoing.Add(StoredAt(bad, record.Length, sequence: 1), 1, Queue);
        outgoing.Add(StoredAt(good, record.Length, sequence: 2), 1, Queue);
        using var log = new VerifyingLogger();
        log.ExpectError("is lost");

        await outgoing.LoadBodiesAsync(new StoreDamageLog(log.CreateLogger("bodies")));

        Assert.Equal(["good"], outgoing.Messages.Select(BodyOf));
        Assert.Equal([bad], outgoing.Unreadable.Select(unreadable => unreadable.Segment));
        bad.Close();
        good.Close();
    }

    private static StoredMessage StoredAt(Segment segment, int recordLength, long sequence)
    {
        var message = new StoredMessage
        {
            Sequence = sequence,
            ContentType = "text/plain",
            EnqueuedAtMs = 1000,
            AvailableAtMs = 1000,
            BodyLength = recordLength - RecordHeader.Size,
        };
        message.StandIn(segment, 0, recordLength);
        return message;
    }

    [Fact]
    public void No_flipped_bit_of_type_or_length_passes_the_check_of_a_records_header()
    {
        var record = new byte[RecordHeader.Size];
        RecordHeader.Write(record, (byte)RecordType.Removed, 0);
        RecordHeader.WriteChecksum(record, 0x12345678);
        Assert.True(RecordHeader.BeginsRecord(record, 0x12345678));

        for (var bit = 0; bit < 64; bit++)
        {
            var flipped = record.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(RecordHeader.BeginsRecord(flipped, 0x12345678), $"bit {bit}");
        }
    }

    private static async Task PutBytesAsync(IMessageStore store, byte[] body)
    {
        var outcome = await store.PutAsync(Queue, new NewMessage { Body = body, ContentType = "application/octet-stream" }).WithTimeout();
        Assert.True(outcome.Ok, outcome.Detail);
    }

    /// <summary>A whole Message record of the first queue, as somebody would make it who knows all but the segment's salt.</summary>
    private static byte[] ForgedMessage()
    {
        // Sequence 99, put at 1000 ms for 1000 ms, priority 5, text/plain, body "!!".
        byte[] payload = [0, 0, 1, 99, 0xE8, 7, 0xE8, 7, 5, 2, (byte)'!', (byte)'!'];
        var record = new byte[RecordHeader.Size + payload.Length];
        RecordHeader.Write(record, (byte)RecordType.Message, payload.Length);
        payload.CopyTo(record, RecordHeader.Size);
        RecordHeader.WriteChecksum(record, RecordHeader.FixedSalt);
        return [.. record, .. record];
    }

    /// <summary>Where the records of an undamaged segment begin.</summary>
    private static List<(long Offset, RecordType Type, int Length)> RecordsIn(string segment)
    {
        var bytes = File.ReadAllBytes(segment);
        var records = new List<(long Offset, RecordType Type, int Length)>();

        // Behind the last record of a log that is in use there may be room ahead, all zeros.
        for (var at = 0; at + RecordHeader.Size <= bytes.Length && bytes[at + 2] != 0;)
        {
            var length = RecordHeader.Size + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            records.Add((at, (RecordType)bytes[at + 2], length));
            at += length;
        }

        return records;
    }
}
