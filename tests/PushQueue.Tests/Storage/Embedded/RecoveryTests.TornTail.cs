using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>The last write of a crash: whole or gone, never half.</summary>
public sealed partial class RecoveryTests
{
    [Fact]
    public async Task A_tail_torn_at_any_byte_costs_no_message_whose_record_is_whole()
    {
        var ends = new List<long>();
        var original = await WriteAndCrashAsync(async store =>
        {
            for (var i = 0; i < 4; i++)
            {
                await PutAsync(store, $"message {i}");
                ends.Add(new FileInfo(Segments(_directory.File("live"))[^1]).Length);
            }
        });

        for (var cut = ends[1]; cut <= ends[^1]; cut++)
        {
            using var copy = CopyOf(original);
            Truncate(Segments(copy.Path)[^1], cut);
            var taken = await RecoverAsync(copy.Path, store => TakeAllAsync(store));

            var whole = ends.Count(end => end <= cut);
            Assert.InRange(taken.Count, whole, ends.Count);
            Assert.Equal(Enumerable.Range(0, taken.Count).Select(i => $"message {i}"), taken);
        }
    }

    [Fact]
    public async Task A_batch_torn_at_any_byte_is_there_whole_or_not_at_all()
    {
        var (before, after) = (0L, 0L);
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "before");
            before = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
            await store.PutManyAsync(Queue, [NewMessage("1"), NewMessage("2"), NewMessage("3")]).WithTimeout();
            after = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
        });

        for (var cut = before; cut <= after; cut++)
        {
            using var copy = CopyOf(original);
            Truncate(Segments(copy.Path)[^1], cut);
            var taken = await RecoverAsync(copy.Path, store => TakeAllAsync(store));

            Assert.Equal("before", taken[0]);
            Assert.True(taken.Count == 4 || (taken.Count == 1 && cut < after), $"cut at {cut}: {string.Join(", ", taken)}");
        }
    }

    [Fact]
    public async Task A_dead_letter_torn_at_any_byte_is_in_exactly_one_queue()
    {
        var (before, after) = (0L, 0L);
        var original = await WriteAndCrashAsync(async store =>
        {
            await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 1 }).WithTimeout();
            await PutAsync(store, "a");
            var leases = await store.LeaseAsync(Queue, new LeaseRequest(1, 1000, TimeSpan.FromHours(1))).WithTimeout();
            before = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
            var key = new LeaseKey(leases.Value[0].Message.Id, leases.Value[0].Receipt);
            await store.ReleaseAsync(Queue, [key], new ReleaseRequest()).WithTimeout();
            after = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
        });

        for (var cut = before; cut <= after; cut++)
        {
            using var copy = CopyOf(original);
            Truncate(Segments(copy.Path)[^1], cut);
            var (live, dead) = await RecoverAsync(copy.Path, async store =>
                (
                    (await store.GetQueueAsync(Queue).WithTimeout())!.Waiting,
                    (await store.GetQueueAsync(Queue.DeadLetter).WithTimeout())?.Waiting ?? 0));

            Assert.Equal(1, live + dead);
        }
    }

    [Fact]
    public async Task An_offset_whose_record_was_torn_is_given_again_only_to_what_nobody_saw()
    {
        var (before, after) = (0L, 0L);
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "a");
            await PutAsync(store, "b");
            before = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
            await store.BroadcastAsync(Queue, 1, 1000).WithTimeout();
            after = new FileInfo(Segments(_directory.File("live"))[^1]).Length;
        });

        for (var cut = before; cut <= after; cut++)
        {
            using var copy = CopyOf(original);
            Truncate(Segments(copy.Path)[^1], cut);
            var sent = await RecoverAsync(copy.Path, async store =>
            {
                await store.BroadcastAsync(Queue, 10, 1000).WithTimeout();
                return (await store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout())!.Messages;
            });

            Assert.Equal([(1L, "a"), (2L, "b")], sent.Select(message => (message.Offset, BodyOf(message))));
        }
    }

    [Fact]
    public async Task A_cut_tail_is_logged()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "a");
            await PutAsync(store, "b");
        });
        var segment = Segments(original)[^1];
        Truncate(segment, new FileInfo(segment).Length - 1);
        using var log = new VerifyingLogger();

        await RecoverAsync(original, TakeAllAsync, log);

        Assert.Contains(log.Entries, entry => entry.Level == LogLevel.Warning && entry.Text.Contains(segment, StringComparison.Ordinal));
        log.Verify();
    }

    [Fact]
    public async Task What_is_put_after_a_cut_tail_survives_the_next_start()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "a");
            await PutAsync(store, "torn");
        });
        var segment = Segments(original)[^1];
        Truncate(segment, new FileInfo(segment).Length - 1);

        await RecoverAsync(original, async store => await PutAsync(store, "b"));
        var taken = await RecoverAsync(original, TakeAllAsync);

        Assert.Equal(["a", "b"], taken);
    }

    [Fact]
    public async Task A_start_with_an_empty_last_segment_serves_the_rest()
    {
        var original = await WriteAndCrashAsync(async store => await PutAsync(store, "a"));
        await File.WriteAllBytesAsync(Path.Combine(original, "segment-0000000099.log"), [], CancellationToken.None);
        using var log = new VerifyingLogger();
        log.ExpectError("missing");

        var taken = await RecoverAsync(original, TakeAllAsync, log);

        Assert.Equal(["a"], taken);
    }
}
