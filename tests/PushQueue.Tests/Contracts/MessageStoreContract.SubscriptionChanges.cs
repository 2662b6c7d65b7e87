using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

/// <summary>Subscriptions, queues and limits change while messages pour in: each put has all its copies or did not happen.</summary>
public abstract partial class MessageStoreContract
{
    private const int PouringProducers = 3;
    private const int PouredByEach = 40;

    [Fact]
    public async Task A_subscriber_whose_patterns_change_under_load_misses_nothing_and_gets_nothing_twice()
    {
        QueueSubscription[][] covering =
        [
            [new(Queue.Value)],
            [new(Queue.Value), new(Queue.Value + "*")],
            [new(Queue.Value + "*")],
            [new(Queue.Value), new(Sub("other").Value)],
        ];
        await SubscribeTo(Sub("a"), covering[0]);

        var poured = await PourWhile(i => SubscribeTo(Sub("a"), covering[i % covering.Length]));

        Assert.Equal(PouringProducers * PouredByEach, poured.Count(put => put.Error == QueueError.None));
        AssertPoured(poured, await TakeAll());
        AssertPoured(poured, await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_subscriber_that_is_deleted_under_load_takes_no_copy_from_the_others_and_gets_nothing_twice()
    {
        await Subscribe(Sub("steady"), Queue.Value);

        var poured = await PourWhile(async i =>
        {
            await Subscribe(Sub("deleted"), Queue.Value);
            await Store.DeleteQueueAsync(Sub("deleted")).WithTimeout();
        });

        var after = await TryPut(NewMessage("after", id: "after"));
        Assert.Equal(1, after.Value.Copies);
        Assert.All(poured, put => Assert.InRange(put.Copies, 1, 2));
        AssertPoured(poured, (await TakeAll())[..^1]);
        AssertPoured(poured, (await TakeAll(Sub("steady")))[..^1]);
        Assert.Null(await TryFind(MessageId.Parse("after"), Sub("deleted")));
    }

    [Fact]
    public async Task A_source_that_is_deleted_under_load_has_left_a_copy_of_each_put_once()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Subscribe(Sub("b"), Queue.Value + "*");

        var poured = await PourWhile(_ => Store.DeleteQueueAsync(Queue).WithTimeout());

        Assert.All(poured, put => Assert.Equal(2, put.Copies));
        AssertPoured(poured, await TakeAll(Sub("a")));
        AssertPoured(poured, await TakeAll(Sub("b")));
        var left = await TakeAll();
        Assert.Equal(left.Distinct(), left);
    }

    [Fact]
    public async Task A_put_that_a_full_subscriber_refuses_under_load_is_in_no_queue()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Subscribe(Sub("full"), Queue.Value);
        await Subscribe(Sub("z"), Queue.Value);

        var poured = await PourWhile(i => Set(new QueueSettingsPatch { MaxMessages = i % 2 == 0 ? 1 : 0 }, Sub("full")));
        await Set(new QueueSettingsPatch { MaxMessages = 0 }, Sub("full"));

        Assert.All(poured, put => Assert.True(put.Error is QueueError.None or QueueError.QueueFull, $"{put}"));
        foreach (var queue in (QueueName[])[Queue, Sub("a"), Sub("full"), Sub("z")])
        {
            AssertPoured(poured, await TakeAll(queue));
        }
    }

    [Fact]
    public async Task A_subscriber_that_is_stopped_and_started_under_load_has_every_copy()
    {
        await Subscribe(Sub("a"), Queue.Value);

        var poured = await PourWhile(i => Set(new QueueSettingsPatch { Stopped = i % 2 == 0 }, Sub("a")));
        await Set(new QueueSettingsPatch { Stopped = false }, Sub("a"));

        Assert.All(poured, put => Assert.Equal(1, put.Copies));
        AssertPoured(poured, await TakeAll());
        AssertPoured(poured, await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_subscriber_is_full_by_the_bytes_of_its_copies_and_refuses_a_batch_as_a_whole()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Set(new QueueSettingsPatch { MaxBytes = 8 }, Sub("a"));

        var fits = await TryPutMany(NewMessage("1234"), NewMessage("5678"));
        var refused = await TryPutMany(NewMessage(""), NewMessage("9"));
        await Take(1, Sub("a"));
        var fitsAgain = await TryPut(NewMessage("9"));

        Assert.True(fits.Ok && fitsAgain.Ok);
        Assert.Equal(QueueError.QueueFull, refused.Error);
        Assert.Contains($"'{Sub("a")}'", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(["1234", "5678", "9"], await TakeAll());
        Assert.Equal(["5678", "9"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_circle_of_subscribers_with_limits_refuses_a_put_that_one_of_them_cannot_take()
    {
        QueueName[] circle = [Queue, Sub("b"), Sub("c")];
        for (var i = 0; i < circle.Length; i++)
        {
            await Subscribe(circle[i], circle[(i + 1) % circle.Length].Value);
        }

        await Set(new QueueSettingsPatch { MaxMessages = 1 }, circle[2]);
        var first = await TryPut(NewMessage("one"));
        var refused = await TryPut(NewMessage("two"));
        var elsewhere = await Store.PutAsync(circle[1], NewMessage("three")).WithTimeout();

        Assert.Equal(1, first.Value.Copies);
        Assert.Equal(QueueError.QueueFull, refused.Error);
        Assert.Equal(1, elsewhere.Value.Copies);
        Assert.Equal(["one", "three"], await TakeAll());
        Assert.Equal(["three"], await TakeAll(circle[1]));
        Assert.Equal(["one"], await TakeAll(circle[2]));
    }

    /// <summary>Puts messages from several threads while something changes, over and over, until all are put.</summary>
    private async Task<IReadOnlyList<Poured>> PourWhile(Func<int, Task> change)
    {
        var changes = 0;
        var producers = Task.WhenAll(Enumerable.Range(0, PouringProducers).Select(producer => Task.Run(async () =>
        {
            var poured = new List<Poured>();
            for (var i = 0; i < PouredByEach; i++)
            {
                var id = $"{producer}-{i}";
                var put = await Store.PutAsync(Queue, NewMessage(id, id: id));
                poured.Add(new Poured(id, put.Error, put.Ok ? put.Value.Copies : 0));

                // Each message meets some change, on a machine of any speed.
                var seen = Volatile.Read(ref changes);
                await Eventually.TrueAsync(() => i % 4 != 0 || Volatile.Read(ref changes) > seen, "something has changed");
            }

            return poured;
        })));
        for (var i = 0; !producers.IsCompleted; i++)
        {
            await change(i);
            Interlocked.Increment(ref changes);
        }

        return [.. (await producers.WithTimeout()).SelectMany(static poured => poured)];
    }

    /// <summary>The queue has each message of an accepted put once and no other, and those of a producer in their order.</summary>
    private static void AssertPoured(IReadOnlyList<Poured> poured, string[] found)
    {
        for (var producer = 0; producer < PouringProducers; producer++)
        {
            var prefix = $"{producer}-";
            Assert.Equal(
                poured.Where(put => put.Error == QueueError.None && put.Id.StartsWith(prefix, StringComparison.Ordinal))
                    .Select(put => put.Id),
                found.Where(body => body.StartsWith(prefix, StringComparison.Ordinal)));
        }
    }

    private Task<QueueSettings> SubscribeTo(QueueName subscriber, QueueSubscription[] to) =>
        Set(new QueueSettingsPatch { Subscriptions = QueueSubscriptions.Of(to) }, subscriber);

    /// <summary>A put that was answered.</summary>
    private sealed record Poured(string Id, QueueError Error, int Copies);
}
