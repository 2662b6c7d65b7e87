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

    [Fact]
    public async Task The_time_to_live_of_a_delayed_message_runs_from_its_put()
    {
        var id = await Put("a", delay: Seconds(20), ttl: Seconds(10));
        Time.Advance(Seconds(10));

        var found = await TryFind(id);
        Time.Advance(Seconds(10));

        Assert.Null(found);
        Assert.Empty(await TakeAll());
        Assert.Equal(0, (await Info()).Waiting);
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
