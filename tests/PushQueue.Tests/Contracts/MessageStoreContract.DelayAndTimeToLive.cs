using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_delayed_message_is_not_given_out_before_its_time()
    {
        await Put("a", delay: Seconds(10));
        Time.Advance(Seconds(9.999));

        var early = await TakeAll();
        Time.Advance(Seconds(0.001));
        var due = await TakeAll();

        Assert.Empty(early);
        Assert.Equal(["a"], due);
    }

    [Fact]
    public async Task A_message_whose_time_is_past_is_ready_at_once()
    {
        await Put("a", delay: -Seconds(10));

        var taken = await TakeAll();

        Assert.Equal(["a"], taken);
    }

    [Fact]
    public async Task The_listener_is_told_when_a_message_is_put()
    {
        await Put("a");

        await Listener.WaitForAsync<BecameReady>(Queue);
    }

    [Fact]
    public async Task The_listener_is_told_when_a_delayed_message_falls_due()
    {
        await Put("a", delay: Seconds(10));
        Listener.Clear();

        Time.Advance(Seconds(10));

        await Listener.WaitForAsync<BecameReady>(Queue);
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task The_listener_is_told_of_each_delayed_message_at_its_own_time()
    {
        await Put("late", delay: Seconds(60));
        await Put("early", delay: Seconds(10));
        Listener.Clear();

        Time.Advance(Seconds(10));
        await Listener.WaitForAsync<BecameReady>(Queue);
        var early = await TakeAll();
        Listener.Clear();
        Time.Advance(Seconds(50));
        await Listener.WaitForAsync<BecameReady>(Queue);
        var late = await TakeAll();

        Assert.Equal(["early"], early);
        Assert.Equal(["late"], late);
    }

    [Fact]
    public async Task The_listener_is_told_when_a_delayed_message_falls_due_after_a_reopen()
    {
        await Put("a", delay: Seconds(10));
        await ReopenAsync();
        Listener.Clear();

        Time.Advance(Seconds(10));

        await Listener.WaitForAsync<BecameReady>(Queue);
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_delay_that_ends_while_the_store_is_closed_has_ended()
    {
        await Put("a", delay: Seconds(10));
        await CloseAsync();
        Time.Advance(Seconds(60));
        await OpenAsync();
        Assert.SkipUnless(Persists, "This store keeps nothing when it is closed.");

        var taken = await TakeAll();

        Assert.Equal(["a"], taken);
    }

    [Fact]
    public async Task A_delay_of_years_holds()
    {
        var id = await Put("a", delay: Duration.Longest);

        var found = await Find(id);

        Assert.Equal(Time.GetUtcNow() + Duration.Longest, found.AvailableAt);
        Assert.Equal(MessageState.Delayed, found.State);
        Assert.Empty(await TakeAll());
    }

    [Fact]
    public async Task A_ready_message_is_dropped_when_its_time_to_live_ends()
    {
        var id = await Put("a", ttl: Seconds(10));
        await Put("b");
        Time.Advance(Seconds(10));

        var taken = await TakeAll();

        Assert.Equal(["b"], taken);
        Assert.Null(await TryFind(id));
        Assert.Equal(1, (await Info()).Counters.Expired);
    }

    [Fact]
    public async Task A_message_can_be_taken_until_its_time_to_live_ends()
    {
        await Put("a", ttl: Seconds(10));
        Time.Advance(Seconds(9.999));

        var taken = await TakeAll();

        Assert.Equal(["a"], taken);
    }

    /// <summary>Each makes message "a", with a time to live of ten seconds, available in 20 seconds.</summary>
    public static TheoryData<string> WaysToDelay =>
        ["put", "batch", "release", "release after its time to live", "retry delay of the message", "retry delay of the queue",
            "lease that ends by time", "reschedule", "reschedule of a delayed one", "reschedule of a leased one", "release at a time"];

    [Theory]
    [MemberData(nameof(WaysToDelay))]
    public async Task A_time_to_live_counts_from_when_the_message_becomes_available(string way)
    {
        var id = await DelayAsync(way);
        var delayed = await Find(id);
        Time.Advance(Seconds(19.999));
        var early = await TakeAll();
        Time.Advance(Seconds(0.001));
        var due = await Find(id);
        Time.Advance(Seconds(9.999));
        var last = await TryFind(id);
        Time.Advance(Seconds(0.001));

        var late = await TakeAll();

        Assert.Equal(MessageState.Delayed, delayed.State);
        Assert.Equal(delayed.AvailableAt + Seconds(10), delayed.ExpiresAt);
        Assert.Empty(early);
        Assert.Equal(MessageState.Ready, due.State);
        Assert.NotNull(last);
        Assert.Empty(late);
        Assert.Equal((0, 1), ((await Info()).Waiting, (await Info()).Counters.Expired));
    }

    [Theory]
    [MemberData(nameof(WaysToDelay))]
    public async Task A_time_to_live_counts_from_when_the_message_becomes_available_after_a_reopen_too(string way)
    {
        var id = await DelayAsync(way);
        await ReopenAsync();
        Time.Advance(Seconds(29.999));
        var last = await TryFind(id);
        Time.Advance(Seconds(0.001));

        Assert.NotNull(last);
        Assert.Null(await TryFind(id));
    }

    [Fact]
    public async Task A_message_that_comes_back_without_a_delay_keeps_the_end_of_its_time_to_live()
    {
        var id = await Put("a", ttl: Seconds(10));
        await Release(await LeaseOne());
        await Release(await LeaseOne(), new ReleaseRequest(Delay: TimeSpan.Zero));
        Time.Advance(Seconds(9.999));
        var last = await TryFind(id);
        Time.Advance(Seconds(0.001));

        Assert.NotNull(last);
        Assert.Empty(await TakeAll());
    }

    private async Task<MessageId> DelayAsync(string way)
    {
        switch (way)
        {
            case "put":
                return await Put("a", delay: Seconds(20), ttl: Seconds(10));
            case "batch":
                return (await TryPutMany(NewMessage("a", delay: Seconds(20), ttl: Seconds(10)))).Value[0].Id;
            case "retry delay of the queue":
                await Set(new QueueSettingsPatch { RetryDelay = RetryDelay.Fixed(Seconds(20)) });
                break;
        }

        var hasRetryDelay = way is "retry delay of the message" or "lease that ends by time";
        var id = await Put("a", ttl: Seconds(10), retryDelay: hasRetryDelay ? RetryDelay.Fixed(Seconds(20)) : null);
        switch (way)
        {
            case "release":
                await Release(await LeaseOne(), new ReleaseRequest(Delay: Seconds(20)));
                break;
            case "release after its time to live":
                var lease = await LeaseOne(Seconds(60));
                Time.Advance(Seconds(30));
                await Release(lease, new ReleaseRequest(Delay: Seconds(20)));
                break;
            case "release at a time":
                await Release(await LeaseOne(), new ReleaseRequest(AvailableAt: Time.GetUtcNow() + Seconds(20)));
                break;
            case "retry delay of the message" or "retry delay of the queue":
                await Release(await LeaseOne());
                break;
            case "lease that ends by time":
                await LeaseOne(Seconds(15));
                Time.Advance(Seconds(15));
                Assert.Equal(1, (await Info()).Delayed);
                break;
            case "reschedule of a leased one":
                await LeaseOne();
                await Reschedule(id, Seconds(20));
                break;
            case "reschedule of a delayed one":
                await Reschedule(id, Seconds(5));
                await Reschedule(id, Seconds(20));
                break;
            default:
                await Reschedule(id, Seconds(20));
                break;
        }

        return id;
    }

    [Fact]
    public async Task A_leased_message_whose_time_to_live_ends_can_still_be_acked()
    {
        await Put("a", ttl: Seconds(10));
        var lease = await LeaseOne(Seconds(60));
        Time.Advance(Seconds(20));

        var acked = await Ack(lease);

        Assert.Equal(QueueError.None, acked);
        Assert.Equal(0, (await Info()).Counters.Expired);
    }

    [Fact]
    public async Task A_message_released_after_its_time_to_live_is_dropped()
    {
        var id = await Put("a", ttl: Seconds(10));
        var lease = await LeaseOne(Seconds(60));
        Time.Advance(Seconds(20));

        await Release(lease);

        Assert.Empty(await TakeAll());
        Assert.Null(await TryFind(id));
        Assert.Equal(1, (await Info()).Counters.Expired);
    }

    [Fact]
    public async Task A_message_whose_lease_ends_after_its_time_to_live_is_dropped()
    {
        await Put("a", ttl: Seconds(10));
        await LeaseOne(Seconds(30));
        Time.Advance(Seconds(30));

        var taken = await TakeAll();

        Assert.Empty(taken);
        Assert.Equal(0, (await Info()).Waiting);
    }

    [Fact]
    public async Task An_expired_message_frees_its_id_key_and_place()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 1 });
        await Put("a", id: "x", ttl: Seconds(10), uniqueKey: "key");
        Time.Advance(Seconds(10));

        var again = await TryPut(NewMessage("b", id: "x", uniqueKey: "key"));

        Assert.True(again.Ok);
        Assert.False(again.Value.Duplicate);
    }

    [Fact]
    public async Task An_expired_message_is_not_broadcast()
    {
        await Put("a", ttl: Seconds(10));
        await Put("b");
        Time.Advance(Seconds(10));

        var sent = await Broadcast();

        Assert.Equal(["b"], BodiesOf(sent));
        Assert.Equal([1], OffsetsOf(sent));
    }

    [Fact]
    public async Task A_time_to_live_that_ends_while_the_store_is_closed_has_ended()
    {
        await Put("a", ttl: Seconds(10));
        await Put("b", ttl: Seconds(100));
        await CloseAsync();
        Time.Advance(Seconds(60));
        await OpenAsync();
        Assert.SkipUnless(Persists, "This store keeps nothing when it is closed.");

        var taken = await TakeAll();

        Assert.Equal(["b"], taken);
    }
}
