using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Starts on a log that a crash, a bad disk or an operator has left behind.</summary>
public sealed partial class RecoveryTests : IDisposable
{
    private static readonly QueueName Queue = QueueName.Parse("orders");

    private const int LooksAtRest = 100;

    private readonly TemporaryDirectory _directory = new();
    private readonly TestTimeProvider _time = new();

    public void Dispose() => _directory.Dispose();

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
        var numbers = Regex.Matches(
            report[(report.IndexOf(segment, StringComparison.Ordinal) + segment.Length)..],
            "[0-9]+",
            RegexOptions.NonBacktracking);
        Assert.InRange(
            at,
            long.Parse(numbers[0].Value, CultureInfo.InvariantCulture),
            long.Parse(numbers[1].Value, CultureInfo.InvariantCulture));
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

    /// <summary>The state that a killed process leaves: a copy of the files while the store still runs.</summary>
    /// <summary>
    /// One snapshot or two follow a start at a time of their own. They would come between the records that a test writes, or be believed
    /// where those are damaged, so this waits until the log has come to rest behind one.
    /// </summary>
    private static Task FirstSnapshotAsync(string live)
    {
        var (records, looks) = (0, 0);
        return Eventually.TrueAsync(
            () =>
            {
                var found = Segments(live) is [var first, ..] ? RecordsIn(first) : [];
                looks = found.Count == records && found.Exists(record => record.Type == RecordType.SnapshotEnd) ? looks + 1 : 0;
                records = found.Count;
                return looks >= LooksAtRest;
            },
            "the first snapshot is written");
    }

    private async Task<string> WriteAndCrashAsync(Func<IMessageStore, Task> write, long segmentBytes = 64 * 1024 * 1024)
    {
        var live = _directory.File("live");
        await using var store = await OpenAsync(live, segmentBytes: segmentBytes);
        await FirstSnapshotAsync(live);
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
