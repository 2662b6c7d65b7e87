using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_message_is_cancelled_in_every_state()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        var dead = await Put("dead");
        await FailToDeath();
        var leased = await Put("leased");
        await LeaseOne();
        var ready = await Put("ready");
        var delayed = await Put("delayed", delay: Seconds(10));

        var cancelled = new[] { await Cancel(leased), await Cancel(ready), await Cancel(delayed), await Cancel(dead, DeadQueue) };

        Assert.All(cancelled, Assert.True);
        Assert.Equal(0, (await Info()).Waiting);
        Assert.Equal(0, (await Info()).Bytes);
        Assert.Equal(0, (await Info(DeadQueue)).Waiting);
        Time.Advance(Seconds(60));
        Assert.Empty(await TakeAll());
        Assert.Empty(await TakeAll(DeadQueue));
    }

    [Fact]
    public async Task A_purge_empties_the_queue_in_every_state_and_keeps_settings_history_counters_and_dead_letters()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await Put("dead");
        await FailToDeath();
        await Put("broadcast");
        await Broadcast();
        var leased = await Put("leased");
        var lease = await LeaseOne();
        await Put("ready");
        await Put("delayed", delay: Seconds(10));

        var purged = await Store.PurgeAsync(Queue, 100).WithTimeout();

        Assert.Equal(3, purged.Value);
        var info = await Info();
        Assert.Equal((0, 0, 1), (info.Waiting, info.Bytes, info.History));
        Assert.Equal((1, 3, 5), (info.Settings.MaxAttempts, info.Counters.Cancelled, info.Counters.Put));
        Assert.Equal(1, (await Info(DeadQueue)).Waiting);
        Assert.Equal(QueueError.NotFound, await Ack(lease));
        Assert.Equal(leased, (await Listener.WaitForAsync<LeasedCancelled>(Queue)).Id);
        Time.Advance(Seconds(60));
        Assert.Empty(await TakeAll());
        await Put("after");
        Assert.Equal(["after"], await TakeAll());
    }

    [Fact]
    public async Task A_purge_of_some_removes_those_that_would_come_first_and_of_nothing_makes_no_queue()
    {
        await Put("late", delay: Seconds(10));
        await Put("low");
        await Put("high", priority: 9);

        Assert.Equal(2, (await Store.PurgeAsync(Queue, 2).WithTimeout()).Value);
        Assert.Equal(0, (await Store.PurgeAsync(DeadQueue, 2).WithTimeout()).Value);

        Time.Advance(Seconds(10));
        Assert.Equal(["late"], await TakeAll());
        Assert.Null(await Store.GetQueueAsync(DeadQueue).WithTimeout());
    }

    [Fact]
    public async Task A_purge_survives_a_reopen_and_frees_ids_and_unique_keys()
    {
        await Put("first", id: "x");
        await Put("second", delay: Seconds(10));
        await Store.PurgeAsync(Queue, 100).WithTimeout();
        await ReopenAsync();

        await Put("third", id: "x");
        Time.Advance(Seconds(10));

        Assert.Equal(["third"], await TakeAll());
    }

    [Fact]
    public async Task A_cancel_of_what_is_not_live_says_so()
    {
        var taken = await Put("taken");
        await TakeAll();
        var broadcast = await Put("broadcast");
        await Broadcast();

        var answers = new[] { await Cancel(taken), await Cancel(broadcast), await Cancel(MessageId.Parse("nobody")) };

        Assert.All(answers, Assert.False);
        Assert.Equal(0, (await Info()).Counters.Cancelled);
    }

    [Fact]
    public async Task A_cancelled_lease_is_gone_and_its_worker_can_be_told()
    {
        var id = await Put("a");
        var lease = await LeaseOne(worker: "w1");

        await Cancel(id);

        var told = await Listener.WaitForAsync<LeasedCancelled>(Queue);
        Assert.Equal(id, told.Id);
        Assert.Equal(lease.Receipt, told.Receipt);
        Assert.Equal(QueueError.NotFound, await Ack(lease));
    }

    [Fact]
    public async Task A_cancel_survives_a_reopen()
    {
        var ready = await Put("ready");
        var delayed = await Put("delayed", delay: Seconds(10));
        await Cancel(ready);
        await Cancel(delayed);
        await ReopenAsync();

        Time.Advance(Seconds(10));

        Assert.Empty(await TakeAll());
    }

    [Fact]
    public async Task A_cancelled_message_frees_its_id()
    {
        await Cancel(await Put("first", id: "x"));

        await Put("second", id: "x");

        Assert.Equal(["second"], await TakeAll());
    }

    [Fact]
    public async Task A_ready_message_is_rescheduled_to_later()
    {
        var id = await Put("a");
        await Put("b");

        var rescheduled = await Reschedule(id, Seconds(10));

        Assert.True(rescheduled);
        Assert.Equal(MessageState.Delayed, (await Find(id)).State);
        Assert.Equal(["b"], await TakeAll());
        Time.Advance(Seconds(10));
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_delayed_message_is_rescheduled_to_now()
    {
        var id = await Put("a", delay: Seconds(100));
        Listener.Clear();

        var rescheduled = await Reschedule(id, TimeSpan.Zero);

        Assert.True(rescheduled);
        await Listener.WaitForAsync<BecameReady>(Queue);
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_delayed_message_is_rescheduled_to_earlier_and_to_later()
    {
        var sooner = await Put("sooner", delay: Seconds(100));
        var later = await Put("later", delay: Seconds(100));

        await Reschedule(sooner, Seconds(10));
        await Reschedule(later, Seconds(200));

        Time.Advance(Seconds(10));
        Assert.Equal(["sooner"], await TakeAll());
        Time.Advance(Seconds(100));
        Assert.Empty(await TakeAll());
        Time.Advance(Seconds(90));
        Assert.Equal(["later"], await TakeAll());
    }

    [Fact]
    public async Task A_leased_message_that_is_rescheduled_loses_its_lease()
    {
        var id = await Put("a");
        var lease = await LeaseOne();

        var rescheduled = await Reschedule(id, Seconds(10));

        Assert.True(rescheduled);
        Assert.Equal(QueueError.LeaseLost, await Ack(lease));
        Time.Advance(Seconds(10));
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_rescheduled_message_expires_once_its_time_to_live_has_passed_after_its_new_time()
    {
        var leased = await Put("leased", ttl: Seconds(10));
        await LeaseOne(Seconds(600));
        var ready = await Put("ready", ttl: Seconds(20));
        Time.Advance(Seconds(15));

        await Reschedule(leased, Seconds(30));
        await Reschedule(ready, Seconds(30));
        Time.Advance(Seconds(40));
        var left = await Browse(MessageState.Ready);
        Time.Advance(Seconds(10));

        Assert.Equal(["ready"], left);
        Assert.Empty(await TakeAll());
        Assert.Equal(2, (await Info()).Counters.Expired);
    }

    [Fact]
    public async Task A_reschedule_of_what_is_not_live_says_so()
    {
        var id = await Put("a");
        await TakeAll();

        var rescheduled = await Reschedule(id, Seconds(10));

        Assert.False(rescheduled);
        Assert.Equal(0, (await Info()).Waiting);
    }

    [Fact]
    public async Task A_reschedule_survives_a_reopen()
    {
        var later = await Put("later");
        var now = await Put("now", delay: Seconds(100));
        await Reschedule(later, Seconds(50));
        await Reschedule(now, TimeSpan.Zero);
        await ReopenAsync();

        var taken = await TakeAll();
        Time.Advance(Seconds(50));

        Assert.Equal(["now"], taken);
        Assert.Equal(["later"], await TakeAll());
    }

    [Fact]
    public async Task A_deleted_queue_is_gone_with_everything_in_it()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 100 });
        await Put("broadcast");
        await Broadcast();
        var id = await Put("a", id: "x", uniqueKey: "key");
        await Put("b", delay: Seconds(10));
        Listener.Clear();

        var deleted = (await Store.DeleteQueueAsync(Queue).WithTimeout()).Value;

        Assert.True(deleted);
        Assert.Null(await Store.GetQueueAsync(Queue).WithTimeout());
        Assert.Null(await TryFind(id));
        Assert.Null(await Store.ReadHistoryAsync(Queue, 1, 10, 100).WithTimeout());
        await Listener.WaitForAsync<Deleted>(Queue);
        Time.Advance(Seconds(10));
        Assert.Empty(await TakeAll());
    }

    [Fact]
    public async Task A_queue_that_was_deleted_starts_anew()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 100, DedupWindow = Seconds(60) });
        await Put("first", id: "x", uniqueKey: "key");
        await Broadcast();
        await Store.DeleteQueueAsync(Queue).WithTimeout();

        await Put("second", id: "x", uniqueKey: "key");

        var info = await Info();
        Assert.Equal(QueueSettings.Default, info.Settings);
        Assert.Equal(1, info.Counters.Put);
        Assert.Equal(0, info.History);
        Assert.Equal(1, info.Position.NextOffset);
    }

    [Fact]
    public async Task A_deleted_queue_is_gone_after_a_reopen()
    {
        await Put("a");
        await Store.DeleteQueueAsync(Queue).WithTimeout();
        await ReopenAsync();

        var info = await Store.GetQueueAsync(Queue).WithTimeout();

        Assert.Null(info);
    }

    [Fact]
    public async Task A_queue_made_again_after_its_deletion_holds_only_the_new_after_a_reopen()
    {
        await Put("old", id: "x");
        await Store.DeleteQueueAsync(Queue).WithTimeout();
        await Put("new", id: "x");
        await ReopenAsync();

        var taken = await TakeAll();

        Assert.Equal(["new"], taken);
    }

    [Fact]
    public async Task A_lease_of_a_deleted_queue_is_not_found()
    {
        await Put("a");
        var lease = await LeaseOne();
        await Store.DeleteQueueAsync(Queue).WithTimeout();

        var acked = await Ack(lease);

        Assert.Equal(QueueError.NotFound, acked);
    }

    [Fact]
    public async Task A_queue_that_never_was_cannot_be_deleted()
    {
        var deleted = (await Store.DeleteQueueAsync(Queue).WithTimeout()).Value;

        Assert.False(deleted);
    }

    [Fact]
    public async Task Queues_are_listed_in_the_order_of_their_names()
    {
        foreach (var suffix in new[] { "b", "a", "B", "a.dead", "ü", "a1" })
        {
            await Store.PutAsync(QueueName.Parse($"{Queue}.{suffix}"), NewMessage("m")).WithTimeout();
        }

        var listed = new List<string>();
        var after = (string?)Queue.Value;
        do
        {
            var page = await Store.ListQueuesAsync(after, 4).WithTimeout();
            Assert.True(page.Total >= 6);
            listed.AddRange(page.Queues.Select(info => info.Name.Value));
            after = page.Next;
        }
        while (after is not null);

        var mine = listed.Where(
            name => name.StartsWith(Queue + ".", StringComparison.Ordinal)).Select(name => name[(Queue.Value.Length + 1)..]);
        Assert.Equal(["B", "a", "a.dead", "a1", "b", "ü"], mine);
    }

    [Fact]
    public async Task A_listed_queue_says_what_is_in_it()
    {
        await PutAll("a", "b");
        var all = new List<QueueInfo>();
        string? after = null;
        do
        {
            var page = await Store.ListQueuesAsync(after, 100).WithTimeout();
            all.AddRange(page.Queues);
            after = page.Next;
        }
        while (after is not null);

        var mine = Assert.Single(all, info => info.Name == Queue);

        Assert.Equal(2, mine.Ready);
    }
}
