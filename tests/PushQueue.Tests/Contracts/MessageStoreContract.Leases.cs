using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_leased_message_is_not_given_to_another()
    {
        await PutAll("a", "b");

        var first = await LeaseOne();
        var second = await LeaseOne();

        Assert.Equal("a", BodyOf(first.Message));
        Assert.Equal("b", BodyOf(second.Message));
        Assert.Empty(await TakeAll());
        Assert.Empty(await LeaseMany(1));
    }

    [Fact]
    public async Task A_lease_says_who_holds_it_until_when()
    {
        var id = await Put("a");

        var lease = await LeaseOne(Seconds(45), worker: "w1");
        var found = await Find(id);

        Assert.False(lease.Receipt.IsNone);
        Assert.Equal(Time.GetUtcNow() + Seconds(45), lease.Until);
        Assert.Equal(1, lease.Message.Attempt);
        Assert.Equal(MessageState.Leased, found.State);
        Assert.Equal(lease.Until, found.LeasedUntil);
        Assert.Equal("w1", found.LastWorker);
    }

    [Fact]
    public async Task Leases_stop_before_the_bytes_asked_for()
    {
        await PutAll("12345", "12345", "12345");

        var leases = (await Store.LeaseAsync(Queue, new LeaseRequest(10, 12, Seconds(30))).WithTimeout()).Value;

        Assert.Equal(2, leases.Count);
        Assert.Equal(1, (await Info()).Ready);
    }

    [Fact]
    public async Task The_first_message_is_leased_however_large_it_is()
    {
        await PutAll("1234567890", "b");

        var leases = (await Store.LeaseAsync(Queue, new LeaseRequest(10, 5, Seconds(30))).WithTimeout()).Value;

        Assert.Equal("1234567890", BodyOf(Assert.Single(leases).Message));
    }

    [Fact]
    public async Task An_acked_message_is_gone()
    {
        var id = await Put("a");
        var lease = await LeaseOne(Seconds(30), worker: "w1");

        var acked = await Ack(lease);

        Assert.Equal(QueueError.None, acked);
        Assert.Null(await TryFind(id));
        Time.Advance(Seconds(60));
        Assert.Empty(await TakeAll());
        Assert.Equal(0, (await Info()).Waiting);
    }

    [Fact]
    public async Task The_listener_is_told_who_finished_a_message()
    {
        var id = await Put("a");

        await Ack(await LeaseOne(worker: "w1"));

        var finished = await Listener.WaitForAsync<Finished>(Queue);
        Assert.Equal(id, finished.Id);
        Assert.True(finished.Outcome.Acked);
        Assert.Equal("w1", finished.Outcome.Worker);
        Assert.Equal(1, finished.Outcome.Attempts);
    }

    [Fact]
    public async Task An_ack_repeated_finds_nothing()
    {
        await Put("a");
        var lease = await LeaseOne();
        await Ack(lease);

        var again = await Ack(lease);

        Assert.Equal(QueueError.NotFound, again);
    }

    [Fact]
    public async Task An_ack_of_an_unknown_message_or_queue_finds_nothing()
    {
        var stranger = new LeaseKey(MessageId.Parse("nobody"), new Receipt(42));

        var unknownQueue = await Store.AckAsync(Queue, [stranger]).WithTimeout();
        await Put("a");
        var unknownMessage = await Store.AckAsync(Queue, [stranger]).WithTimeout();

        Assert.Equal([QueueError.NotFound], unknownQueue);
        Assert.Equal([QueueError.NotFound], unknownMessage);
        Assert.Equal(1, (await Info()).Ready);
    }

    [Fact]
    public async Task An_ack_of_what_was_never_leased_is_refused()
    {
        var ready = await Put("ready");
        var delayed = await Put("delayed", delay: Seconds(10));

        var answers = await Store.AckAsync(Queue, [new LeaseKey(ready, new Receipt(42)), new LeaseKey(delayed, default)]).WithTimeout();

        Assert.Equal([QueueError.LeaseLost, QueueError.LeaseLost], answers);
        Assert.Equal(2, (await Info()).Waiting);
    }

    [Fact]
    public async Task An_ack_with_anothers_receipt_changes_nothing()
    {
        await PutAll("a", "b");
        var mine = await LeaseOne();
        var theirs = await LeaseOne();

        var answers = await Store.AckAsync(Queue, [new LeaseKey(theirs.Message.Id, mine.Receipt)]).WithTimeout();

        Assert.Equal([QueueError.LeaseLost], answers);
        Assert.Equal(QueueError.None, await Ack(theirs));
        Assert.Equal(QueueError.None, await Ack(mine));
    }

    [Fact]
    public async Task Many_acks_get_an_answer_each()
    {
        await PutAll("a", "b", "c");
        var leases = await LeaseMany(3);
        await Ack(leases[0]);

        var answers = await Store.AckAsync(Queue,
        [
            KeyOf(leases[2]),
            KeyOf(leases[0]),
            new LeaseKey(leases[1].Message.Id, new Receipt(42)),
            KeyOf(leases[2]),
        ]).WithTimeout();

        Assert.Equal([QueueError.None, QueueError.NotFound, QueueError.LeaseLost, QueueError.NotFound], answers);
        Assert.Equal(["b"], await Browse(MessageState.Leased));
    }

    [Fact]
    public async Task A_lease_that_ends_counts_as_an_attempt_and_the_message_returns()
    {
        var id = await Put("a");
        var lease = await LeaseOne(Seconds(30), worker: "w1");
        Time.Advance(Seconds(30));

        var returned = await Find(id);
        var second = await LeaseOne();

        Assert.Equal(MessageState.Ready, returned.State);
        Assert.Equal("w1", returned.LastWorker);
        Assert.NotNull(returned.LastError);
        Assert.Equal(2, second.Message.Attempt);
        Assert.NotEqual(lease.Receipt, second.Receipt);
        Assert.Equal(1, (await Info()).Counters.Failed);
    }

    [Fact]
    public async Task A_lease_holds_until_its_very_end()
    {
        await Put("a");
        var lease = await LeaseOne(Seconds(30));
        Time.Advance(Seconds(29.999));

        var others = await TakeAll();
        var acked = await Ack(lease);

        Assert.Empty(others);
        Assert.Equal(QueueError.None, acked);
    }

    [Fact]
    public async Task The_listener_is_told_when_a_lease_ends()
    {
        await Put("a");
        await LeaseOne(Seconds(30));
        Listener.Clear();

        Time.Advance(Seconds(30));

        await Listener.WaitForAsync<BecameReady>(Queue);
    }

    [Fact]
    public async Task The_receipt_of_a_lease_that_ended_is_refused()
    {
        await Put("a");
        var lease = await LeaseOne(Seconds(30));
        Time.Advance(Seconds(30));

        var answers = new[] { await Ack(lease), await Release(lease), await Touch(lease, Seconds(30)) };

        Assert.All(answers, answer => Assert.Equal(QueueError.LeaseLost, answer));
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task The_receipt_of_an_earlier_lease_is_refused_while_another_holds_the_message()
    {
        await Put("a");
        var old = await LeaseOne(Seconds(30));
        await Release(old);
        var current = await LeaseOne(Seconds(30));

        var answers = new[] { await Ack(old), await Release(old), await Touch(old, Seconds(300)) };

        Assert.All(answers, answer => Assert.Equal(QueueError.LeaseLost, answer));
        Assert.Equal(current.Until, (await Find(current.Message.Id)).LeasedUntil);
        Assert.Equal(QueueError.None, await Ack(current));
    }

    [Fact]
    public async Task A_touch_sets_the_end_of_the_lease_from_now()
    {
        await Put("a");
        var lease = await LeaseOne(Seconds(30));
        Time.Advance(Seconds(20));

        var touched = await Touch(lease, Seconds(30));
        Time.Advance(Seconds(29));
        var held = await TakeAll();
        Time.Advance(Seconds(1));

        Assert.Equal(QueueError.None, touched);
        Assert.Empty(held);
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_touch_can_shorten_a_lease()
    {
        await Put("a");
        var lease = await LeaseOne(Seconds(300));

        await Touch(lease, Seconds(5));
        Time.Advance(Seconds(5));

        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_touch_gives_a_lease_without_end_one()
    {
        await Put("a");
        var lease = Assert.Single((await Store.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeToRun: null)).WithTimeout()).Value);

        await Touch(lease, Seconds(5));
        Time.Advance(Seconds(5));

        Assert.Null(lease.Until);
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_lease_without_end_lasts_until_it_is_given_back()
    {
        await Put("a");
        var lease = Assert.Single((await Store.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeToRun: null)).WithTimeout()).Value);
        Time.Advance(TimeSpan.FromDays(400));

        var held = await TakeAll();
        var released = await Release(lease);

        Assert.Empty(held);
        Assert.Equal(QueueError.None, released);
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_lease_of_a_year_holds()
    {
        await Put("a");
        var lease = await LeaseOne(TimeSpan.FromDays(365));
        Time.Advance(TimeSpan.FromDays(364));

        var acked = await Ack(lease);

        Assert.Equal(QueueError.None, acked);
    }

    [Fact]
    public async Task A_released_message_is_ready_at_once()
    {
        var id = await Put("a");
        var lease = await LeaseOne(worker: "w1");
        Listener.Clear();

        var released = await Release(lease, new ReleaseRequest(Error: "no paper"));

        var found = await Find(id);
        Assert.Equal(QueueError.None, released);
        Assert.Equal(MessageState.Ready, found.State);
        Assert.Equal("no paper", found.LastError);
        Assert.Equal("w1", found.LastWorker);
        await Listener.WaitForAsync<BecameReady>(Queue);
        Assert.Equal(2, (await LeaseOne()).Message.Attempt);
    }

    [Fact]
    public async Task A_message_released_with_a_delay_waits_for_it()
    {
        var id = await Put("a");
        var lease = await LeaseOne();
        Time.Advance(Seconds(1));

        await Release(lease, new ReleaseRequest(Delay: Seconds(10)));

        var found = await Find(id);
        Assert.Equal(MessageState.Delayed, found.State);
        Assert.Equal(Time.GetUtcNow() + Seconds(10), found.AvailableAt);
        Assert.Empty(await TakeAll());
        Time.Advance(Seconds(10));
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task The_listener_is_told_when_the_delay_of_a_release_ends()
    {
        await Put("a");
        await Release(await LeaseOne(), new ReleaseRequest(Delay: Seconds(10)));
        Listener.Clear();

        Time.Advance(Seconds(10));

        await Listener.WaitForAsync<BecameReady>(Queue);
    }

    [Fact]
    public async Task A_release_that_does_not_count_leaves_the_attempts_as_they_were()
    {
        await Put("a");
        var first = await LeaseOne();

        await Release(first, new ReleaseRequest(CountsAsAttempt: false));

        Assert.Equal(1, (await LeaseOne()).Message.Attempt);
    }

    [Fact]
    public async Task A_delivery_does_not_count_as_an_attempt_and_returns_to_the_front()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await PutAll("a", "b");

        for (var i = 0; i < 3; i++)
        {
            var delivery = await LeaseOne(delivery: true);
            Assert.Equal("a", BodyOf(delivery.Message));
            Assert.Equal(QueueError.None, await Release(delivery, new ReleaseRequest(CountsAsAttempt: false)));
        }

        Assert.Equal(1, (await LeaseOne()).Message.Attempt);
        Assert.Equal(["b"], await TakeAll());
    }

    [Fact]
    public async Task A_delivery_that_was_written_is_acked_like_any_lease()
    {
        var id = await Put("a");
        var delivery = await LeaseOne(delivery: true);

        var acked = await Ack(delivery);

        Assert.Equal(QueueError.None, acked);
        Assert.Null(await TryFind(id));
        Assert.Equal(1, (await Info()).Counters.Delivered);
    }

    [Fact]
    public async Task An_acked_delivery_does_not_come_back_after_a_reopen()
    {
        await PutAll("a", "b");
        await Ack(await LeaseOne(delivery: true));
        await ReopenAsync();

        var taken = await TakeAll();

        Assert.Equal(["b"], taken);
    }

    [Fact]
    public async Task A_delivery_given_back_after_its_time_to_live_is_dropped()
    {
        await Put("a", ttl: Seconds(10));
        var delivery = await LeaseOne(delivery: true);
        Time.Advance(Seconds(10));

        await Release(delivery, new ReleaseRequest(CountsAsAttempt: false));

        Assert.Empty(await TakeAll());
        Assert.Equal(0, (await Info()).Waiting);
    }

    [Fact]
    public async Task A_delivery_is_not_recorded()
    {
        await PutAll("a", "b");
        var delivery = await LeaseOne(delivery: true);
        await ReopenAsync();

        var late = await Ack(delivery);

        Assert.Equal(QueueError.LeaseLost, late);
        Assert.Equal(1, (await LeaseOne()).Message.Attempt);
    }

    [Fact]
    public async Task A_touched_delivery_is_not_recorded_either()
    {
        await Put("a");
        await Touch(await LeaseOne(delivery: true), Seconds(600));
        await ReopenAsync();

        var taken = await TakeAll();

        Assert.Equal(["a"], taken);
    }

    [Fact]
    public async Task A_lease_and_its_receipt_survive_a_reopen()
    {
        var id = await Put("a");
        var lease = await LeaseOne(Seconds(60), worker: "w1");
        await ReopenAsync();

        var found = await Find(id);
        var acked = await Ack(lease);

        Assert.Equal(MessageState.Leased, found.State);
        Assert.Equal(lease.Until, found.LeasedUntil);
        Assert.Equal("w1", found.LastWorker);
        Assert.Equal(QueueError.None, acked);
    }

    [Fact]
    public async Task A_touch_survives_a_reopen()
    {
        var id = await Put("a");
        var lease = await LeaseOne(Seconds(30));
        await Touch(lease, Seconds(300));
        await ReopenAsync();

        var found = await Find(id);

        Assert.Equal(Time.GetUtcNow() + Seconds(300), found.LeasedUntil);
    }

    [Fact]
    public async Task A_lease_that_ends_while_the_store_is_closed_has_ended()
    {
        await Put("a");
        var lease = await LeaseOne(Seconds(30));
        await CloseAsync();
        Time.Advance(Seconds(60));
        await OpenAsync();
        Assert.SkipUnless(Persists, "This store keeps nothing when it is closed.");

        var late = await Ack(lease);

        Assert.Equal(QueueError.LeaseLost, late);
        Assert.Equal(2, (await LeaseOne()).Message.Attempt);
    }

    [Fact]
    public async Task Attempts_survive_a_reopen()
    {
        await Put("a");
        await Release(await LeaseOne(worker: "w1"), new ReleaseRequest(Error: "no paper"));
        await ReopenAsync();

        var lease = await LeaseOne();

        Assert.Equal(2, lease.Message.Attempt);
        Assert.Equal("no paper", lease.Message.LastError);
    }
}
