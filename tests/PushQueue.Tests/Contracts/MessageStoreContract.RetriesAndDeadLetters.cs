using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Theory]
    [InlineData(null, null, 4)]
    [InlineData("7s", null, 7)]
    [InlineData(null, "9s", 9)]
    [InlineData("7s", "9s", 7)]
    [InlineData("0", null, 0)]
    [InlineData(null, "exponential:3s..1m", 6)]
    public async Task A_backoff_is_waited_for_where_neither_the_message_nor_the_queue_has_a_retry_delay(
        string? ofMessage, string? ofQueue, int expectedSeconds)
    {
        await Set(new QueueSettingsPatch { RetryDelay = Delay(ofQueue) });
        var id = await Put("a", retryDelay: Delay(ofMessage));
        await Release(await LeaseOne(), new ReleaseRequest(Delay: TimeSpan.Zero));

        var released = await Release(await LeaseOne(), new ReleaseRequest(Backoff: Delay("exponential:2s..5s")));

        var message = await Find(id);
        Assert.Equal(QueueError.None, released);
        Assert.Equal(expectedSeconds == 0 ? MessageState.Ready : MessageState.Delayed, message.State);
        Assert.Equal(expectedSeconds, message.State == MessageState.Ready ? 0 : (message.AvailableAt - Time.GetUtcNow()).TotalSeconds);

        static RetryDelay? Delay(string? text) => RetryDelay.TryParse(text, out var delay) ? delay : null;
    }

    [Fact]
    public async Task A_release_after_the_last_attempt_dead_letters_the_message()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 2 });
        var id = await Put("a");
        await Release(await LeaseOne(worker: "w1"), new ReleaseRequest(Error: "first"));

        var released = await Release(await LeaseOne(worker: "w2"), new ReleaseRequest(Error: "second"));

        var dead = await Find(id, DeadQueue);
        Assert.Equal(QueueError.None, released);
        Assert.Null(await TryFind(id));
        Assert.Equal("a", BodyOf(dead));
        Assert.Equal(MessageState.Dead, dead.State);
        Assert.Equal("second", dead.LastError);
        Assert.Equal("w2", dead.LastWorker);
        Assert.Equal(new DeadLetter(Queue, "max-attempts", 2, Time.GetUtcNow()), dead.DeadLetter);
        Assert.Equal(1, (await Info()).Counters.DeadLettered);
    }

    [Fact]
    public async Task A_release_that_rejects_a_message_dead_letters_it_at_once()
    {
        var id = await Put("a");

        var released = await Release(await LeaseOne(worker: "w1"), new ReleaseRequest(Error: "not an order", DeadLetter: true));

        var dead = await Find(id, DeadQueue);
        Assert.Equal(QueueError.None, released);
        Assert.Null(await TryFind(id));
        Assert.Equal(("a", "not an order", "w1"), (BodyOf(dead), dead.LastError, dead.LastWorker));
        Assert.Equal(new DeadLetter(Queue, "rejected", 1, Time.GetUtcNow()), dead.DeadLetter);
        var finished = await Listener.WaitForAsync<Finished>(Queue);
        Assert.Equal((id, false, "rejected"), (finished.Id, finished.Outcome.Acked, finished.Outcome.Reason));
        Assert.Equal((1, 1), ((await Info()).Counters.Failed, (await Info()).Counters.DeadLettered));
    }

    [Fact]
    public async Task A_release_that_rejects_a_message_drops_it_where_the_queue_keeps_no_dead_letters()
    {
        await Set(new QueueSettingsPatch { DeadLetter = false });
        var id = await Put("a");

        await Release(await LeaseOne(), new ReleaseRequest(DeadLetter: true));

        Assert.Null(await TryFind(id));
        Assert.Null(await TryFind(id, DeadQueue));
    }

    [Fact]
    public async Task A_dead_letter_that_is_rejected_stays_in_its_queue()
    {
        var id = await Put("a");
        await Release(await LeaseOne(), new ReleaseRequest(DeadLetter: true));

        await Release(await LeaseOne(queue: DeadQueue), new ReleaseRequest(Error: "again", DeadLetter: true), DeadQueue);

        Assert.Equal(("again", "rejected"), ((await Find(id, DeadQueue)).LastError, (await Find(id, DeadQueue)).DeadLetter!.Reason));
    }

    [Fact]
    public async Task A_lease_that_ends_after_the_last_attempt_dead_letters_the_message()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        var id = await Put("a");
        await LeaseOne(Seconds(30), worker: "w1");

        Time.Advance(Seconds(30));

        var finished = await Listener.WaitForAsync<Finished>(Queue);
        Assert.Equal(id, finished.Id);
        Assert.Null(await TryFind(id));
        Assert.Equal(1, (await Find(id, DeadQueue)).DeadLetter!.Attempts);
    }

    [Fact]
    public async Task The_listener_is_told_of_a_dead_letter_and_of_its_queue()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        var id = await Put("a");

        await Release(await LeaseOne(worker: "w1"), new ReleaseRequest(Error: "no paper"));

        var finished = await Listener.WaitForAsync<Finished>(Queue);
        Assert.Equal(id, finished.Id);
        Assert.False(finished.Outcome.Acked);
        Assert.Equal("w1", finished.Outcome.Worker);
        Assert.Equal(1, finished.Outcome.Attempts);
        Assert.NotEmpty(finished.Outcome.Reason!);
        await Listener.WaitForAsync<BecameReady>(DeadQueue);
    }

    [Fact]
    public async Task A_messages_own_attempts_go_before_the_queues()
    {
        var once = await Put("once", maxAttempts: 1);
        var thrice = await Put("thrice", maxAttempts: 3);
        await Set(new QueueSettingsPatch { MaxAttempts = 2 });

        for (var round = 0; round < 2; round++)
        {
            foreach (var lease in await LeaseMany(2))
            {
                await Release(lease);
            }
        }

        Assert.NotNull(await TryFind(once, DeadQueue));
        Assert.NotNull(await TryFind(thrice));
    }

    [Fact]
    public async Task A_release_that_does_not_count_never_dead_letters()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        var id = await Put("a");

        for (var i = 0; i < 3; i++)
        {
            await Release(await LeaseOne(), new ReleaseRequest(CountsAsAttempt: false));
        }

        Assert.NotNull(await TryFind(id));
    }

    [Fact]
    public async Task A_release_that_does_not_count_leaves_no_trace_that_a_reopen_could_lose_or_bring_back()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 2, RetryDelay = RetryDelay.Fixed(Seconds(10)) });
        var id = await Put("a");
        await Put("b");
        await Release(await LeaseOne(worker: "w1"), new ReleaseRequest(Delay: TimeSpan.Zero, Error: "torn"));

        await Release(await LeaseOne(worker: "w2"), new ReleaseRequest(CountsAsAttempt: false));
        await ReopenAsync();

        var back = await Find(id);
        Assert.Equal((MessageState.Ready, "torn", "w1"), (back.State, back.LastError, back.LastWorker));
        var next = await LeaseOne();
        Assert.Equal((id, 2), (next.Message.Id, next.Message.Attempt));
        Assert.Equal(1, (await Info()).Counters.Failed);
    }

    [Fact]
    public async Task A_release_waits_for_the_queues_retry_delay()
    {
        await Set(new QueueSettingsPatch { RetryDelay = RetryDelay.Fixed(Seconds(10)) });
        var id = await Put("a");

        await Release(await LeaseOne());

        Assert.Equal(Time.GetUtcNow() + Seconds(10), (await Find(id)).AvailableAt);
        Assert.Empty(await TakeAll());
    }

    [Fact]
    public async Task An_exponential_retry_delay_grows_with_every_attempt()
    {
        var delays = new List<TimeSpan>();
        var id = await Put("a", retryDelay: new RetryDelay(Seconds(1), Seconds(5)));

        for (var attempt = 1; attempt <= 4; attempt++)
        {
            await Release(await LeaseOne());
            var delay = (await Find(id)).AvailableAt - Time.GetUtcNow();
            delays.Add(delay);
            Time.Advance(delay);
        }

        Assert.Equal([Seconds(1), Seconds(2), Seconds(4), Seconds(5)], delays);
    }

    [Fact]
    public async Task A_messages_own_retry_delay_goes_before_the_queues_and_the_releases_before_both()
    {
        await Set(new QueueSettingsPatch { RetryDelay = RetryDelay.Fixed(Seconds(10)) });
        var id = await Put("a", retryDelay: RetryDelay.Fixed(Seconds(20)));

        await Release(await LeaseOne());
        var byMessage = (await Find(id)).AvailableAt - Time.GetUtcNow();
        Time.Advance(Seconds(20));
        await Release(await LeaseOne(), new ReleaseRequest(Delay: Seconds(3)));
        var byRelease = (await Find(id)).AvailableAt - Time.GetUtcNow();

        Assert.Equal(Seconds(20), byMessage);
        Assert.Equal(Seconds(3), byRelease);
    }

    [Fact]
    public async Task A_release_may_ask_for_no_delay()
    {
        await Set(new QueueSettingsPatch { RetryDelay = RetryDelay.Fixed(Seconds(10)) });
        await PutAll("a", "b");

        await Release(await LeaseOne(), new ReleaseRequest(Delay: TimeSpan.Zero));

        Assert.Equal(["a", "b"], await TakeAll());
    }

    [Fact]
    public async Task A_lease_that_ends_waits_for_the_retry_delay()
    {
        await Set(new QueueSettingsPatch { RetryDelay = RetryDelay.Fixed(Seconds(10)) });
        await Put("a");
        await LeaseOne(Seconds(30));
        Time.Advance(Seconds(30));

        var before = await TakeAll();
        Time.Advance(Seconds(10));
        var after = await TakeAll();

        Assert.Empty(before);
        Assert.Equal(["a"], after);
    }

    [Fact]
    public async Task Without_dead_lettering_a_message_that_ran_out_of_attempts_is_dropped()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1, DeadLetter = false });
        var id = await Put("a");

        await Release(await LeaseOne());

        Assert.Null(await TryFind(id));
        Assert.Null(await Store.GetQueueAsync(DeadQueue).WithTimeout());
        Assert.False((await Listener.WaitForAsync<Finished>(Queue)).Outcome.Acked);
    }

    [Fact]
    public async Task A_dead_letter_can_be_browsed_and_taken()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await PutAll("a", "b");
        await FailToDeath();
        await FailToDeath();

        var browsed = await Browse(MessageState.Dead, DeadQueue);
        var taken = await TakeAll(DeadQueue);

        Assert.Equal(["a", "b"], browsed);
        Assert.Equal(["a", "b"], taken);
    }

    [Fact]
    public async Task A_dead_letter_queue_has_none_of_its_own()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        var id = await Put("a");
        await FailToDeath();

        for (var attempt = 0; attempt < 10; attempt++)
        {
            Assert.Equal(QueueError.None, await Release(await LeaseOne(queue: DeadQueue), queue: DeadQueue));
        }

        Assert.NotNull(await TryFind(id, DeadQueue));
        Assert.Null(await Store.GetQueueAsync(DeadQueue.DeadLetter).WithTimeout());
    }

    [Fact]
    public async Task A_dead_letter_does_not_expire()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        var id = await Put("a", ttl: Seconds(60));
        await FailToDeath();
        Time.Advance(Seconds(120));

        var dead = await TryFind(id, DeadQueue);

        Assert.NotNull(dead);
    }

    [Fact]
    public async Task A_dead_lettered_message_frees_its_unique_key()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await Put("a", uniqueKey: "key");
        await FailToDeath();

        await Put("b", uniqueKey: "key");

        Assert.Equal(["b"], await TakeAll());
    }

    [Fact]
    public async Task Two_dead_letters_of_one_id_are_both_kept()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await Put("first", id: "x");
        await FailToDeath();
        await Put("second", id: "x");

        await FailToDeath();

        Assert.Equal(["first", "second"], await TakeAll(DeadQueue));
    }

    [Fact]
    public async Task Replay_puts_a_dead_letter_back_with_its_id_and_no_attempts()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        var id = await Put("a", id: "x", priority: 4);
        await FailToDeath();
        Listener.Clear();

        var moved = await Store.ReplayAsync(DeadQueue, id, 1).WithTimeout();

        var lease = await LeaseOne();
        Assert.Equal(1, moved.Value);
        Assert.Equal(id, lease.Message.Id);
        Assert.Equal("a", BodyOf(lease.Message));
        Assert.Equal(4, lease.Message.Priority);
        Assert.Equal(1, lease.Message.Attempt);
        Assert.Null(lease.Message.DeadLetter);
        Assert.Null(await TryFind(id, DeadQueue));
        await Listener.WaitForAsync<BecameReady>(Queue);
    }

    [Fact]
    public async Task Replay_of_many_moves_the_next_ones_in_their_order()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await PutAll("a", "b", "c");
        for (var i = 0; i < 3; i++)
        {
            await FailToDeath();
        }

        var moved = await Store.ReplayAsync(DeadQueue, id: null, count: 2).WithTimeout();

        Assert.Equal(2, moved.Value);
        Assert.Equal(["a", "b"], await TakeAll());
        Assert.Equal(["c"], await TakeAll(DeadQueue));
    }

    [Fact]
    public async Task Replay_of_an_unknown_id_fails()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await Put("a");
        await FailToDeath();

        var moved = await Store.ReplayAsync(DeadQueue, MessageId.Parse("nobody"), 1).WithTimeout();

        Assert.Equal(QueueError.NotFound, moved.Error);
        Assert.Equal(1, (await Info(DeadQueue)).Waiting);
    }

    [Fact]
    public async Task Replay_of_a_queue_that_holds_no_dead_letters_moves_nothing()
    {
        await Put("a");

        var moved = await Store.ReplayAsync(Queue, id: null, count: 10).WithTimeout();
        var unknown = await Store.ReplayAsync(DeadQueue, id: null, count: 10).WithTimeout();

        Assert.False(moved.Ok && moved.Value != 0);
        Assert.False(unknown.Ok && unknown.Value != 0);
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task Replay_onto_a_live_id_loses_neither_message()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await Put("dead", id: "x");
        await FailToDeath();
        await Put("live", id: "x");

        await Store.ReplayAsync(DeadQueue, id: null, count: 10).WithTimeout();

        var everywhere = (await TakeAll()).Concat(await TakeAll(DeadQueue));
        Assert.Equal(["dead", "live"], everywhere.Order());
    }

    [Fact]
    public async Task Dead_letters_survive_a_reopen()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        var id = await Put("a");
        await FailToDeath(error: "no paper", worker: "w1");
        var before = await Find(id, DeadQueue);
        await ReopenAsync();

        var after = await Find(id, DeadQueue);

        Assert.Equal(before.DeadLetter, after.DeadLetter);
        Assert.Equal("no paper", after.LastError);
        Assert.Equal("w1", after.LastWorker);
        Assert.Equal(0, (await Info()).Waiting);
    }

    [Fact]
    public async Task A_replay_survives_a_reopen()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        await Put("a");
        await FailToDeath();
        await Store.ReplayAsync(DeadQueue, null, 10).WithTimeout();
        await ReopenAsync();

        var lease = await LeaseOne();

        Assert.Equal(1, lease.Message.Attempt);
        Assert.Empty(await TakeAll(DeadQueue));
    }

    [Fact]
    public async Task The_dead_letter_queue_of_the_longest_name_works()
    {
        var longest = QueueName.Parse(Queue.Value.PadRight(QueueName.BytesMax, 'x'));
        await Set(new QueueSettingsPatch { MaxAttempts = 1 }, longest);
        await Store.PutAsync(longest, NewMessage("a")).WithTimeout();

        await Release(await LeaseOne(queue: longest), queue: longest);

        Assert.Equal(["a"], await TakeAll(longest.DeadLetter));
    }
}
