using System.Formats.Tar;
using System.Globalization;
using System.Text;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

public sealed class BackupTests : IDisposable
{
    private static readonly QueueName Kept = QueueName.Parse("kept");
    private static readonly QueueName Churned = QueueName.Parse("churned");

    private readonly TemporaryDirectory _directory = new();
    private readonly VerifyingLogger _log = new();

    public void Dispose()
    {
        _directory.Dispose();
        _log.Verify();
    }

    [Fact]
    public async Task A_backup_taken_while_segments_are_cleaned_away_holds_all_that_was_answered_before_it()
    {
        await using var store = await OpenAsync("live");
        await PutAsync(store, Kept, 1, 20);
        var oldest = SegmentsOf("live")[0];
        var archive = new HeldStream();
        var backup = store.WriteArchiveAsync(archive, CancellationToken.None);
        await archive.Begun.WithTimeout();

        // The puts of the first segment are carried forward and its file goes, while the backup stands in the middle of it.
        var next = 21;
        while (File.Exists(oldest))
        {
            await PutAsync(store, Kept, next, next);
            next++;
            await ChurnAsync(store);
        }

        archive.Release();
        await backup.WithTimeout();
        await RestoreAsync(archive, "copy");

        await using var copy = await OpenAsync("copy");
        var numbers = await NumbersAsync(copy);
        Assert.True(numbers.Count >= 20, $"{numbers.Count} messages");
        Assert.Equal(Enumerable.Range(1, numbers.Count), numbers);
    }

    [Fact]
    public async Task Backups_under_load_hold_a_prefix_of_what_a_producer_put()
    {
        await using var store = await OpenAsync("live");
        using var stopping = new CancellationTokenSource();
        var answered = 0;
        var producer = Task.Run(async () =>
        {
            while (!stopping.IsCancellationRequested)
            {
                await PutAsync(store, Kept, answered + 1, answered + 1);
                Volatile.Write(ref answered, answered + 1);
                await ChurnAsync(store);
            }
        });
        for (var i = 0; i < 10; i++)
        {
            var before = Volatile.Read(ref answered);
            using var archive = new MemoryStream();
            await store.WriteArchiveAsync(archive, CancellationToken.None).WithTimeout();
            await RestoreAsync(archive, $"copy{i}");

            await using var copy = await OpenAsync($"copy{i}");
            var numbers = await NumbersAsync(copy);
            Assert.True(numbers.Count >= before, $"{numbers.Count} of {before} messages");
            Assert.Equal(Enumerable.Range(1, numbers.Count), numbers);
            await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref answered) > before + 20), "the producer goes on");
        }

        await stopping.CancelAsync();
        await producer.WithTimeout();
    }

    [Fact]
    public async Task A_backup_under_load_has_the_subscriptions_and_each_put_with_all_its_copies()
    {
        QueueName[] subscribers = [QueueName.Parse("billing"), QueueName.Parse("shipping")];
        await using var store = await OpenAsync("live");
        foreach (var subscriber in subscribers)
        {
            var patch = new QueueSettingsPatch { Subscriptions = QueueSubscriptions.Of([new QueueSubscription("ke*")]) };
            Assert.True((await store.UpdateSettingsAsync(subscriber, patch).WithTimeout()).Ok);
        }

        using var stopping = new CancellationTokenSource();
        var answered = 0;
        var producer = Task.Run(async () =>
        {
            while (!stopping.IsCancellationRequested)
            {
                await PutAsync(store, Kept, answered + 1, answered + 1);
                Volatile.Write(ref answered, answered + 1);
                await ChurnAsync(store);
            }
        });
        await Eventually.TrueAsync(() => Volatile.Read(ref answered) > 50, "the producer has begun");
        var before = Volatile.Read(ref answered);
        using var archive = new MemoryStream();
        await store.WriteArchiveAsync(archive, CancellationToken.None).WithTimeout();
        await stopping.CancelAsync();
        await producer.WithTimeout();
        await RestoreAsync(archive, "copy");

        await using var copy = await OpenAsync("copy");
        var numbers = await NumbersAsync(copy);
        var put = await copy.PutAsync(Kept, new NewMessage { Body = "0"u8.ToArray(), ContentType = "text/plain" }).WithTimeout();

        Assert.True(numbers.Count >= before, $"{numbers.Count} of {before} messages");
        Assert.Equal(subscribers.Length, put.Value.Copies);
        foreach (var subscriber in subscribers)
        {
            Assert.Equal([.. numbers, 0], await NumbersAsync(copy, subscriber));
        }
    }

    [Fact]
    public async Task A_restored_store_begins_new_epochs_once()
    {
        string before;
        using var archive = new MemoryStream();
        await using (var store = await OpenAsync("live"))
        {
            await PutAsync(store, Kept, 1, 3);
            await store.BroadcastAsync(Kept, 2, 1000).WithTimeout();
            before = await EpochAsync(store);
            await store.WriteArchiveAsync(archive, CancellationToken.None).WithTimeout();
        }

        await RestoreAsync(archive, "copy");
        string restored;
        await using (var copy = await OpenAsync("copy"))
        {
            restored = await EpochAsync(copy);
            await Eventually.TrueAsync(() => Task.FromResult(!File.Exists(_directory.File("copy/restored"))), "the new epochs are on disk");
        }

        await using var again = await OpenAsync("copy");
        Assert.NotEqual(before, restored);
        Assert.Equal(restored, await EpochAsync(again));
    }

    [Fact]
    public async Task A_backup_that_was_cut_off_anywhere_is_refused_and_leaves_nothing_behind()
    {
        await using var store = await OpenAsync("live");
        await PutAsync(store, Kept, 1, 5);
        using var archive = new MemoryStream();
        await store.WriteArchiveAsync(archive, CancellationToken.None).WithTimeout();
        var whole = archive.ToArray();

        // The last entry is a block of its own; behind it a tar has only zeros.
        for (var length = 0; length < whole.Length - 2048; length += 499)
        {
            using var cut = new MemoryStream(whole, 0, length);
            await Assert.ThrowsAsync<InvalidDataException>(
                () => StoreArchive.RestoreAsync(cut, _directory.File("cut"), CancellationToken.None));
            Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.File("cut")));
        }
    }

    [Fact]
    public async Task A_restore_touches_no_folder_that_holds_something_and_takes_no_other_archive()
    {
        using var foreign = new MemoryStream();
        await using (var writer = new TarWriter(foreign, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "../segment-0000000001.log"));
        }

        foreign.Position = 0;
        var refusal = await Assert.ThrowsAsync<InvalidDataException>(
            () => StoreArchive.RestoreAsync(foreign, _directory.File("new"), CancellationToken.None));
        Assert.Contains("does not belong to a log", refusal.Message, StringComparison.Ordinal);

        await File.WriteAllTextAsync(_directory.File("new/mine"), "x");
        refusal = await Assert.ThrowsAsync<InvalidDataException>(
            () => StoreArchive.RestoreAsync(foreign, _directory.File("new"), CancellationToken.None));
        Assert.Contains("not empty", refusal.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_directory.File("new/mine")));
    }

    private string[] SegmentsOf(string name) =>
        [.. Directory.GetFiles(_directory.File(name), "segment-*.log").Order(StringComparer.Ordinal)];

    private async Task<EmbeddedMessageStore> OpenAsync(string name)
    {
        var store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions
            {
                DataDirectory = _directory.File(name),
                SegmentBytes = 64 * 1024,
                Durability = Durability.Memory,
            },
            TimeProvider.System,
            _log);
        await store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
        return store;
    }

    private async Task RestoreAsync(Stream archive, string name)
    {
        archive.Position = 0;
        await StoreArchive.RestoreAsync(archive, _directory.File(name), CancellationToken.None).WithTimeout();
    }

    private static async Task PutAsync(EmbeddedMessageStore store, QueueName queue, int first, int last)
    {
        for (var i = first; i <= last; i++)
        {
            var body = Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture));
            Assert.True((await store.PutAsync(queue, new NewMessage { Body = body, ContentType = "text/plain" }).WithTimeout()).Ok);
        }
    }

    /// <summary>Fills the log with what nobody needs.</summary>
    private static async Task ChurnAsync(EmbeddedMessageStore store)
    {
        await store.PutAsync(Churned, new NewMessage { Body = new byte[8 * 1024], ContentType = "text/plain" }).WithTimeout();
        await store.TakeAsync(Churned, 10, int.MaxValue).WithTimeout();
    }

    private static async Task<List<int>> NumbersAsync(EmbeddedMessageStore store, QueueName? queue = null)
    {
        var numbers = new List<int>();
        while ((await store.TakeAsync(queue ?? Kept, 100, int.MaxValue).WithTimeout()).Value is { Count: > 0 } taken)
        {
            numbers.AddRange(taken.Select(message => int.Parse(Encoding.UTF8.GetString(message.Body.Span), CultureInfo.InvariantCulture)));
        }

        return numbers;
    }

    private static async Task<string> EpochAsync(EmbeddedMessageStore store) =>
        (await store.GetQueueAsync(Kept).WithTimeout())!.Position.Epoch;

    /// <summary>Takes the first bytes and then nothing until it is released.</summary>
    private sealed class HeldStream : MemoryStream
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public void Release() => _released.SetResult();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _begun.TrySetResult();
            await _released.Task;
            await base.WriteAsync(buffer, cancellationToken);
        }
    }
}
