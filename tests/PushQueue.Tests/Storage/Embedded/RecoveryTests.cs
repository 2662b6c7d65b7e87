using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Storage.Embedded.Log;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>What a start makes of a log that a crash, a bad disk or an operator has left behind.</summary>
public sealed partial class RecoveryTests : IDisposable
{
    private static readonly QueueName Queue = QueueName.Parse("orders");

    private readonly TemporaryDirectory _directory = new();
    private readonly TestTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

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
                ((await store.GetQueueAsync(Queue).WithTimeout())!.Waiting, (await store.GetQueueAsync(Queue.DeadLetter).WithTimeout())?.Waiting ?? 0));

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

    [Fact]
    public async Task A_flipped_bit_is_reported_with_file_and_offset_and_the_rest_is_served()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            for (var i = 0; i < 20; i++)
            {
                await PutAsync(store, $"<message {i:D2}>");
            }
        });
        var segment = Segments(original)[0];
        var at = IndexOf(segment, "<message 10>");
        FlipBit(segment, at);
        using var log = new VerifyingLogger();
        log.ExpectError("Damage in");

        var taken = await RecoverAsync(original, TakeAllAsync, log);

        Assert.Equal(Enumerable.Range(0, 20).Where(i => i != 10).Select(i => $"<message {i:D2}>"), taken);
        var report = Assert.Single(log.Entries, entry => entry.Level == LogLevel.Error).Text;
        Assert.Contains(segment, report, StringComparison.Ordinal);
        var numbers = Regex.Matches(report[(report.IndexOf(segment, StringComparison.Ordinal) + segment.Length)..], "[0-9]+", RegexOptions.NonBacktracking);
        Assert.InRange(at, long.Parse(numbers[0].Value, CultureInfo.InvariantCulture), long.Parse(numbers[1].Value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_costs_at_most_one_message_and_is_never_silent()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            for (var i = 0; i < 4; i++)
            {
                await PutAsync(store, $"<message {i}>");
            }
        });
        var length = new FileInfo(Segments(original)[0]).Length;

        for (var at = 0; at < length; at++)
        {
            using var copy = CopyOf(original);
            FlipBit(Segments(copy.Path)[0], at);
            using var log = new VerifyingLogger();
            var taken = await RecoverAsync(copy.Path, TakeFromEveryQueueAsync, log);

            Assert.True(taken.Count >= 3, $"A flipped bit in byte {at} of {length} left only: {string.Join(", ", taken)}");
            Assert.Equal(taken.Order(StringComparer.Ordinal).Distinct(), taken);
            Assert.Contains(log.Entries, entry => entry.Level >= LogLevel.Warning);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_missing_segment_is_reported_and_the_rest_is_served(int which)
    {
        var bodies = Enumerable.Range(0, 40).Select(i => $"<message {i:D2}>{new string('x', 200)}").ToList();
        var original = await WriteAndCrashAsync(
            async store =>
            {
                foreach (var body in bodies)
                {
                    await PutAsync(store, body);
                }
            },
            segmentBytes: 2000);
        var segment = Segments(original)[which];
        var lost = bodies.Where(body => IndexOf(segment, body) >= 0).ToList();
        File.Delete(segment);
        using var log = new VerifyingLogger();
        log.ExpectError(segment);

        var taken = await RecoverAsync(original, TakeAllAsync, log);

        Assert.NotEmpty(lost);
        Assert.Equal(bodies.Except(lost), taken);
        Assert.Contains(log.Entries, entry => entry.Level == LogLevel.Error && entry.Text.Contains(segment, StringComparison.Ordinal));
        log.Verify();
    }

    [Fact]
    public async Task A_folder_in_use_is_refused_with_a_clear_sentence()
    {
        await using var first = await OpenAsync(_directory.Path);

        var refused = await Assert.ThrowsAsync<StoreOpenException>(() => OpenAsync(_directory.Path)).WithTimeout();

        Assert.Contains(_directory.Path, refused.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", refused.Message, StringComparison.Ordinal);
        await PutAsync(first, "the first goes on");
    }

    [Fact]
    public async Task A_folder_is_free_again_when_its_store_is_closed()
    {
        await using (var first = await OpenAsync(_directory.Path))
        {
            await PutAsync(first, "a");
        }

        var taken = await RecoverAsync(_directory.Path, TakeAllAsync);

        Assert.Equal(["a"], taken);
    }

    [Fact]
    public async Task A_read_only_folder_is_refused_with_a_clear_sentence()
    {
        using var mount = TemporaryMount.OrSkip("ro,size=1m");

        var refused = await Assert.ThrowsAsync<StoreOpenException>(() => OpenAsync(mount.Path)).WithTimeout();

        Assert.Contains(mount.Path, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_cannot_be_a_folder_is_refused_with_a_clear_sentence()
    {
        var file = _directory.File("file");
        await File.WriteAllTextAsync(file, "not a folder", CancellationToken.None);

        var refused = await Assert.ThrowsAsync<StoreOpenException>(() => OpenAsync(Path.Combine(file, "data"))).WithTimeout();

        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_made()
    {
        var path = Path.Combine(_directory.Path, "new", "data");

        var taken = await RecoverAsync(path, async store =>
        {
            await PutAsync(store, "a");
            return await TakeAllAsync(store);
        });

        Assert.Equal(["a"], taken);
    }

    [Fact]
    public async Task A_full_disk_refuses_puts_and_nothing_else_and_recovers_by_itself()
    {
        using var mount = TemporaryMount.OrSkip("size=4m");
        var data = Path.Combine(mount.Path, "data");
        var filler = Path.Combine(mount.Path, "filler");
        using var log = new VerifyingLogger();
        log.ExpectError("full");
        var stored = new List<string>();
        await using (var store = await OpenAsync(data, log))
        {
            await File.WriteAllBytesAsync(filler, new byte[1024 * 1024], CancellationToken.None);

            // Fill: a put is stored or refused, nothing between.
            var refused = await FillAsync(store, stored);
            var duplicate = await store.FindAsync(refused, MessageId.Parse("refused")).WithTimeout();
            Assert.Null(duplicate);
            Assert.Null(store.UnavailableReason);

            // All else goes on.
            var taken = (await store.TakeAsync(Queue, 2, int.MaxValue).WithTimeout()).Value;
            Assert.Equal(stored.Take(2), taken.Select(BodyOf));
            stored.RemoveRange(0, 2);
            var lease = (await store.LeaseAsync(Queue, new LeaseRequest(1, int.MaxValue, TimeSpan.FromMinutes(1))).WithTimeout()).Value[0];
            Assert.Equal([QueueError.None], await store.AckAsync(Queue, [new LeaseKey(lease.Message.Id, lease.Receipt)]).WithTimeout());
            stored.RemoveAt(0);
            Assert.NotEmpty(await store.BroadcastAsync(Queue, 1, int.MaxValue).WithTimeout());
            stored.RemoveAt(0);

            // Room again, puts again.
            File.Delete(filler);
            await Eventually.TrueAsync(async () => (await store.PutAsync(Queue, NewMessage("after")).WithTimeout()).Ok, "puts are accepted again");
            stored.Add("after");
        }

        var left = await RecoverAsync(data, TakeAllAsync, log);

        Assert.Equal(stored, left);
        log.Verify();
    }

    [Fact]
    public async Task Segments_with_nothing_live_are_deleted()
    {
        await using var store = await OpenAsync(_directory.Path, segmentBytes: 4000);

        for (var i = 0; i < 100; i++)
        {
            await PutAsync(store, new string('x', 500));
            await TakeAllAsync(store);
        }

        await Eventually.TrueAsync(() => Segments(_directory.Path).Count <= 4, "dead segments are deleted");
    }

    [Fact]
    public async Task The_last_live_messages_of_mostly_dead_segments_are_carried_forward_and_survive()
    {
        var survivors = new List<string>();
        await using (var store = await OpenAsync(_directory.Path, segmentBytes: 4000))
        {
            for (var i = 0; i < 200; i++)
            {
                if (i % 40 == 0)
                {
                    survivors.Add($"survivor {i}");
                    await store.PutAsync(Queue, NewMessage(survivors[^1], id: $"s{i}")).WithTimeout();
                }

                var passing = QueueName.Parse("passing");
                await store.PutAsync(passing, NewMessage(new string('x', 500))).WithTimeout();
                await store.TakeAsync(passing, 1, int.MaxValue).WithTimeout();
            }

            await Eventually.TrueAsync(() => Segments(_directory.Path).Count <= 5, "mostly dead segments are deleted");
            Assert.Equal(survivors, (await store.BrowseAsync(Queue, MessageState.Ready, null, 100).WithTimeout()).Value.Messages.Select(BodyOf));
        }

        var after = await RecoverAsync(_directory.Path, async store =>
            (await store.BrowseAsync(Queue, MessageState.Ready, null, 100).WithTimeout()).Value.Messages);
        var again = await RecoverAsync(_directory.Path, TakeAllAsync);

        Assert.Equal(survivors, after.Select(BodyOf));
        Assert.Equal(MessageId.Parse("s0"), after[0].Id);
        Assert.Equal(survivors, again);
    }

    [Fact]
    public async Task Bodies_that_do_not_fit_into_the_cache_are_read_back()
    {
        var bodies = Enumerable.Range(0, 50).Select(i => new string((char)('a' + (i % 26)), i * 97)).ToList();
        await using var store = await OpenAsync(_directory.Path, cacheBytesMax: 1000);
        foreach (var body in bodies)
        {
            await PutAsync(store, body);
        }

        var browsed = (await store.BrowseAsync(Queue, MessageState.Ready, null, 100).WithTimeout()).Value.Messages.Select(BodyOf).ToList();
        var taken = await TakeAllAsync(store);

        Assert.Equal(bodies, browsed);
        Assert.Equal(bodies, taken);
    }

    [Fact]
    public async Task A_lease_without_end_does_not_outlive_its_process()
    {
        var original = await WriteAndCrashAsync(async store =>
        {
            await PutAsync(store, "a");
            await store.LeaseAsync(Queue, new LeaseRequest(1, 1000, TimeToRun: null)).WithTimeout();
        });

        var taken = await RecoverAsync(original, TakeAllAsync);

        Assert.Equal(["a"], taken);
    }

    /// <summary>Puts until the disk is full; the name of the queue that was refused.</summary>
    private static async Task<QueueName> FillAsync(IMessageStore store, List<string> stored)
    {
        while (true)
        {
            var body = $"{stored.Count} {new string('x', 50_000)}";
            var outcome = await store.PutAsync(Queue, NewMessage(body)).WithTimeout();
            if (!outcome.Ok)
            {
                Assert.Equal(QueueError.DiskFull, outcome.Error);
                var large = await store.PutAsync(Queue, NewMessage(new string('y', 1024 * 1024), id: "refused")).WithTimeout();
                Assert.Equal(QueueError.DiskFull, large.Error);
                return Queue;
            }

            stored.Add(body);
        }
    }

    /// <summary>What a killed process would leave: the files as they are while the store still runs.</summary>
    private async Task<string> WriteAndCrashAsync(Func<IMessageStore, Task> write, long segmentBytes = 64 * 1024 * 1024)
    {
        var live = _directory.File("live");
        await using var store = await OpenAsync(live, segmentBytes: segmentBytes);

        // It follows a start at a time of its own, and recovery may believe it where what is written here was damaged.
        await Eventually.TrueAsync(() => RecordsIn(Segments(live)[0]).Any(record => record.Type == RecordType.SnapshotEnd), "the first snapshot is written");
        await write(store);
        var crashed = _directory.File("crashed");
        CopyFolder(live, crashed);
        return crashed;
    }

    private async Task<T> RecoverAsync<T>(string path, Func<IMessageStore, Task<T>> read, VerifyingLogger? log = null)
    {
        await using var store = await OpenAsync(path, log);
        return await read(store).WithTimeout();
    }

    private async Task<EmbeddedMessageStore> OpenAsync(
        string path, VerifyingLogger? log = null, long segmentBytes = 64 * 1024 * 1024, long cacheBytesMax = 64 * 1024 * 1024,
        int roomAheadBytes = 0)
    {
        var options = new EmbeddedStoreOptions
        {
            DataDirectory = path,
            Durability = roomAheadBytes > 0 ? Durability.Synced : Durability.Memory,
            RoomAheadBytes = roomAheadBytes,
            SegmentBytes = segmentBytes,
            CacheBytesMax = cacheBytesMax,
        };
        var store = new EmbeddedMessageStore(options, _time, log ?? new VerifyingLogger());
        try
        {
            await store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    private static NewMessage NewMessage(string body, string? id = null) => new()
    {
        Body = Encoding.UTF8.GetBytes(body),
        ContentType = "text/plain",
        Id = id is null ? null : MessageId.Parse(id),
    };

    private static async Task<bool> PutAsync(IMessageStore store, string body)
    {
        var outcome = await store.PutAsync(Queue, NewMessage(body)).WithTimeout();
        Assert.True(outcome.Ok, outcome.Detail);
        return true;
    }

    private static async Task<IReadOnlyList<string>> TakeAllAsync(IMessageStore store) =>
        [.. (await store.TakeAsync(Queue, 1000, int.MaxValue).WithTimeout()).Value.Select(BodyOf)];

    /// <summary>Damage may have taken a queue's name.</summary>
    private static async Task<IReadOnlyList<string>> TakeFromEveryQueueAsync(IMessageStore store)
    {
        var bodies = new List<string>();
        foreach (var info in (await store.ListQueuesAsync(null, 100).WithTimeout()).Queues)
        {
            bodies.AddRange((await store.TakeAsync(info.Name, 1000, int.MaxValue).WithTimeout()).Value.Select(BodyOf));
        }

        return bodies;
    }

    private static string BodyOf(Message message) => Encoding.UTF8.GetString(message.Body.Span);

    private static List<string> Segments(string path) => [.. Directory.GetFiles(path, "segment-*.log").Order(StringComparer.Ordinal)];

    private static TemporaryDirectory CopyOf(string path)
    {
        var copy = new TemporaryDirectory();
        CopyFolder(path, copy.Path);
        return copy;
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Segments(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }

    private static void Truncate(string file, long length)
    {
        using var stream = File.OpenWrite(file);
        stream.SetLength(length);
    }

    private static void FlipBit(string file, long at)
    {
        using var stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = at;
        var value = stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)(value ^ 0x10));
    }

    private static long IndexOf(string file, string text) => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(text));
}
