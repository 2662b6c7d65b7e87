using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Disks that are full, and segments that make room.</summary>
public sealed partial class RecoveryTests
{
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
            await Eventually.TrueAsync(
                async () => (await store.PutAsync(Queue, NewMessage("after")).WithTimeout()).Ok,
                "puts are accepted again");
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
            Assert.Equal(
                survivors,
                (await store.BrowseAsync(Queue, MessageState.Ready, null, 100).WithTimeout()).Value.Messages.Select(BodyOf));
        }

        var after = await RecoverAsync(_directory.Path, async store =>
            (await store.BrowseAsync(Queue, MessageState.Ready, null, 100).WithTimeout()).Value.Messages);
        var again = await RecoverAsync(_directory.Path, TakeAllAsync);

        Assert.Equal(survivors, after.Select(BodyOf));
        Assert.Equal(MessageId.Parse("s0"), after[0].Id);
        Assert.Equal(survivors, again);
    }
}
