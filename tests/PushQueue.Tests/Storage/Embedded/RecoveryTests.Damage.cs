using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using PushQueue.Storage.Embedded.Log;
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

    /// <summary>Where the records of an undamaged segment begin.</summary>
    private static List<(long Offset, RecordType Type, int Length)> RecordsIn(string segment)
    {
        var bytes = File.ReadAllBytes(segment);
        var records = new List<(long Offset, RecordType Type, int Length)>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = RecordHeader.Size + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            records.Add((at, (RecordType)bytes[at + 2], length));
            at += length;
        }

        return records;
    }
}
