using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Storage.Embedded.Records;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

public sealed partial class RecoveryTests
{
    [Fact]
    public async Task What_fell_due_while_the_server_was_down_waits_until_the_start_is_done()
    {
        await using (var store = await OpenWithAsync(_time))
        {
            await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin }).WithTimeout();
            await store.PutAsync(Queue, new NewMessage { ContentType = "text/plain", Body = "leased"u8.ToArray() }).WithTimeout();
            await store.LeaseAsync(Queue, new LeaseRequest(1, 1000, TimeSpan.FromSeconds(2))).WithTimeout();
            await store.PutAsync(
                Queue,
                new NewMessage { ContentType = "text/plain", Body = "delayed"u8.ToArray(), AvailableAt = _time.GetUtcNow().AddSeconds(3) })
                    .WithTimeout();
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        await using var again = await OpenWithAsync(new EagerTimeProvider(_time));

        Assert.Equal(2, (await again.GetQueueAsync(Queue).WithTimeout())!.Ready);
    }

    [Fact]
    public async Task A_start_writes_one_snapshot()
    {
        var live = _directory.File("live");
        await using var store = await OpenAsync(live);

        await FirstSnapshotAsync(live);

        Assert.Single(RecordsIn(Segments(live)[0]), record => record.Type == RecordType.SnapshotStart);
    }

    [Fact]
    public async Task History_that_was_trimmed_does_not_come_back_when_more_is_kept_later()
    {
        await using (var store = await OpenWithAsync(_time))
        {
            await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { HistoryMessages = 2 }).WithTimeout();
            for (var i = 0; i < 5; i++)
            {
                await PutAsync(store, $"{i}");
            }

            Assert.Equal(5, (await store.BroadcastAsync(Queue, 10, 1000).WithTimeout()).Count);
            await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { HistoryMessages = 100 }).WithTimeout();
        }

        await using var again = await OpenWithAsync(_time);

        var page = await again.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout();
        Assert.Equal(["3", "4"], page!.Messages.Select(BodyOf));
        Assert.Equal(4, page.Position.FirstOffset);
    }

    [Fact]
    public async Task Takes_go_on_where_even_the_reserve_is_used_up_and_are_written_once_there_is_room()
    {
        using var mount = TemporaryMount.OrSkip("size=2m");
        var data = Path.Combine(mount.Path, "data");
        var filler = Path.Combine(mount.Path, "filler");
        using var log = new VerifyingLogger();
        log.ExpectError("full");
        log.ExpectError("used up");
        var stored = new List<string>();
        var options = new EmbeddedStoreOptions { DataDirectory = data, Durability = Durability.Memory, ReserveBytes = 4096 };
        await using (var store = new EmbeddedMessageStore(options, _time, log))
        {
            await store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
            await FillAsync(store, stored);
            for (var i = 0; i < 200; i++)
            {
                // Looks need no room; takes need a little more each time, until the room is used up.
                FillUp(filler);
                if (log.Entries.Any(entry => entry.Text.Contains("used up", StringComparison.Ordinal)))
                {
                    break;
                }

                for (var n = 0; n < 20; n++)
                {
                    var lease = (
                        await store.LeaseAsync(Queue, new LeaseRequest(1, int.MaxValue, TimeSpan.FromMinutes(1))).WithTimeout()).Value[0];
                    Assert.Equal([QueueError.None], await store.ReleaseAsync(
                        Queue, [
                            new LeaseKey(lease.Message.Id, lease.Receipt)
                        ], new ReleaseRequest(TimeSpan.Zero, CountsAsAttempt: false)).WithTimeout());
                }
            }

            Assert.Contains(log.Entries, entry => entry.Text.Contains("used up", StringComparison.Ordinal));
            var taken = (await store.TakeAsync(Queue, 2, int.MaxValue).WithTimeout()).Value;
            Assert.Equal(stored.Take(2), taken.Select(BodyOf));
            stored.RemoveRange(0, 2);
            Assert.Null(store.UnavailableReason);
            Assert.Equal(QueueError.DiskFull, (await store.PutAsync(Queue, NewMessage("refused")).WithTimeout()).Error);

            File.Delete(filler);
            await Eventually.TrueAsync(
                async () => (await store.PutAsync(Queue, NewMessage("after")).WithTimeout()).Ok,
                "puts are accepted again");
            stored.Add("after");
        }

        Assert.Equal(stored, await RecoverAsync(data, TakeAllAsync, log));
        log.Verify();
    }

    [Fact]
    public async Task Where_even_the_reserve_is_used_up_no_offset_is_shown_before_it_is_written()
    {
        using var mount = TemporaryMount.OrSkip("size=2m");
        var data = Path.Combine(mount.Path, "data");
        var filler = Path.Combine(mount.Path, "filler");
        using var log = new VerifyingLogger();
        log.ExpectError("full");
        log.ExpectError("used up");
        var stored = new List<string>();
        var options = new EmbeddedStoreOptions { DataDirectory = data, Durability = Durability.Memory, ReserveBytes = 4096 };
        await using (var store = new EmbeddedMessageStore(options, _time, log))
        {
            await store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
            await FillAsync(store, stored);
            for (var i = 0; i < 4000 && !log.Entries.Any(entry => entry.Text.Contains("used up", StringComparison.Ordinal)); i++)
            {
                FillUp(filler);
                await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 1 + (i % 50) }).WithTimeout();
            }

            await Assert.ThrowsAsync<StoreUnavailableException>(() => store.BroadcastAsync(Queue, 2, int.MaxValue).AsTask().WithTimeout());
            await Assert.ThrowsAsync<StoreUnavailableException>(
                () => store.ReadHistoryAsync(Queue, 1, 10, int.MaxValue).AsTask().WithTimeout());
            Assert.Equal(
                QueueError.DiskFull,
                (await store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 3 }).WithTimeout()).Error);

            File.Delete(filler);
            await Eventually.TrueAsync(
                async () => (await store.PutAsync(Queue, NewMessage("after")).WithTimeout()).Ok,
                "puts are accepted again");
            var page = await store.ReadHistoryAsync(Queue, 1, 10, int.MaxValue).WithTimeout();
            Assert.Equal(stored.Take(2), page!.Messages.Select(BodyOf));
            stored.RemoveRange(0, 2);
            stored.Add("after");
        }

        Assert.Equal(stored, await RecoverAsync(data, TakeAllAsync, log));
        log.Verify();
    }

    /// <summary>Takes all room that the disk has left.</summary>
    private static void FillUp(string file)
    {
        using var stream = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                stream.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private async Task<EmbeddedMessageStore> OpenWithAsync(TimeProvider time)
    {
        var store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions { DataDirectory = _directory.File("due"), Durability = Durability.Memory }, time,
                new VerifyingLogger());
        await store.OpenAsync(new RecordingListener(), CancellationToken.None).WithTimeout();
        return store;
    }

    /// <summary>A timer that is due at once fires at once, as on a busy machine, even before the code that arms it is ready.</summary>
    private sealed class EagerTimeProvider(TimeProvider clock) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Timer(callback, state);

        private sealed class Timer(TimerCallback callback, object? state) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                if (dueTime == TimeSpan.Zero)
                {
                    callback(state);
                }

                return true;
            }

            public void Dispose()
            {
                // Holds nothing.
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
