using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

/// <summary>Callers who choose by a time of their own, whatever the store's clock says.</summary>
public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task By_a_callers_clock_the_earliest_comes_first_ready_or_delayed_and_whatever_its_priority()
    {
        await PutExactly("ahead", Seconds(60));
        await PutExactly("past", Seconds(-60), priority: 0);
        await PutExactly("long past", Seconds(-100));
        await Put("urgent", priority: 9);

        var taken = await TakeDue(10, Seconds(60));

        Assert.Equal(["long past", "past", "urgent", "ahead"], BodiesOf(taken));
    }

    [Fact]
    public async Task By_a_callers_clock_nothing_comes_before_its_time()
    {
        await PutExactly("past", Seconds(-60));

        Assert.Empty(await TakeDue(10, Seconds(-61)));
        Assert.Empty(await LeaseDue(Seconds(-61)));
        Assert.Equal(["past"], BodiesOf(await TakeDue(10, Seconds(-60))));
    }

    [Fact]
    public async Task A_time_that_is_kept_orders_the_message_among_the_ready_ones_and_is_shown()
    {
        await PutAll("plain");
        await PutExactly("past", Seconds(-60), id: "x");

        var shown = await Find(MessageId.Parse("x"));

        Assert.Equal(MessageState.Ready, shown.State);
        Assert.Equal(Time.GetUtcNow() + Seconds(-60), shown.AvailableAt);
        Assert.Equal(["past", "plain"], await TakeAll());
    }

    [Fact]
    public async Task A_time_that_is_kept_survives_a_reopen()
    {
        await PutExactly("past", Seconds(-60));
        await PutExactly("ahead", Seconds(60));
        await ReopenAsync();

        Assert.Equal(["past"], BodiesOf(await TakeDue(10, Seconds(-60))));
        Assert.Equal(["ahead"], BodiesOf(await TakeDue(10, Seconds(60))));
    }

    [Fact]
    public async Task A_take_by_a_callers_clock_is_for_good()
    {
        await PutExactly("a", Seconds(60));

        await TakeDue(1, Seconds(60));

        Assert.Equal(0, (await Info()).Waiting);
        Assert.Equal(1, (await Info()).Counters.Delivered);
    }

    [Fact]
    public async Task A_lease_by_a_callers_clock_ends_by_the_stores_and_a_message_before_its_time_is_delayed_again()
    {
        await PutExactly("a", Seconds(60));
        Assert.Single(await LeaseDue(Seconds(100), ttr: Seconds(10)));
        Assert.Equal(1, (await Info()).Leased);

        Time.Advance(Seconds(10));

        await Listener.WaitForAsync<LeaseEnded>(Queue);
        Assert.Equal((0, 1, 0), ((int)(await Info()).Ready, (int)(await Info()).Delayed, (int)(await Info()).Leased));
        Time.Advance(Seconds(50));
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task Requeue_ends_leases_by_their_callers_clock_the_earliest_first_and_no_others()
    {
        await PutAll("native");
        await LeaseOne(Seconds(1000));
        await PutExactly("a", Seconds(-3));
        await PutExactly("b", Seconds(-2));
        await PutExactly("c", Seconds(-1));
        await LeaseDue(Seconds(20), ttr: Seconds(30));
        await LeaseDue(Seconds(0), ttr: Seconds(30));
        await LeaseDue(Seconds(10), ttr: Seconds(30));

        Assert.Equal(0, await Requeue(Seconds(29.9), 10));
        Assert.Equal(1, await Requeue(Seconds(40), 1));
        Assert.Equal(["b"], await Browse(MessageState.Ready));
        Assert.Equal(1, await Requeue(Seconds(40), 10));
        Assert.Equal(1, await Requeue(Seconds(1000), 10));

        Assert.Equal(["a", "b", "c"], await Browse(MessageState.Ready));
        Assert.Equal(1, (await Info()).Leased);
        Assert.Equal(3, (await Info()).Counters.Failed);
    }

    [Fact]
    public async Task Requeue_does_not_wait_for_the_retry_delay()
    {
        await Set(new QueueSettingsPatch { RetryDelay = RetryDelay.Fixed(Seconds(30)) });
        await PutExactly("a", Seconds(-1));
        await LeaseDue(Seconds(0), ttr: Seconds(5));

        Assert.Equal(1, await Requeue(Seconds(5), 10));

        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_lease_by_a_callers_clock_survives_a_reopen_with_its_end()
    {
        await PutExactly("a", Seconds(60));
        var lease = Assert.Single(await LeaseDue(Seconds(60), ttr: Seconds(30)));
        await ReopenAsync();
        await ReopenAsync();

        Assert.Equal(0, await Requeue(Seconds(89), 10));
        await Put("plain");
        Assert.Equal(Time.GetUtcNow(), (await Take(1))[0].AvailableAt);
        Assert.Equal(1, await Requeue(Seconds(90), 10));
        Assert.Equal(QueueError.LeaseLost, await Ack(lease));
        Assert.Equal(1, (await Info()).Delayed);
    }

    [Fact]
    public async Task A_touch_moves_the_end_by_the_stores_clock_and_leaves_the_callers()
    {
        await PutExactly("a", Seconds(-1));
        var lease = Assert.Single(await LeaseDue(Seconds(0), ttr: Seconds(5)));
        Assert.Equal(QueueError.None, await Touch(lease, Seconds(1000)));
        await ReopenAsync();

        Assert.Equal(1, await Requeue(Seconds(5), 10));
    }

    [Fact]
    public async Task Due_messages_are_counted_without_being_taken()
    {
        await PutExactly("past", Seconds(-60), priority: 3);
        await PutAll("now");
        await PutExactly("ahead", Seconds(60));
        await PutExactly("leased", Seconds(-100));
        await LeaseDue(Seconds(-100));

        Assert.Equal(0, await CountDue(Seconds(-61)));
        Assert.Equal(1, await CountDue(Seconds(-60)));
        Assert.Equal(2, await CountDue(Seconds(0)));
        Assert.Equal(3, await CountDue(Seconds(60)));
        Assert.Equal(0, await Store.CountDueAsync(QueueName.Parse(Queue + ".unknown"), Time.GetUtcNow()).WithTimeout());
    }

    [Fact]
    public async Task A_stopped_queue_gives_nothing_out_by_a_callers_clock_either()
    {
        await PutExactly("a", Seconds(-1));
        await Set(new QueueSettingsPatch { Stopped = true });

        var take = await Store.TakeAsync(Queue, 1, int.MaxValue, Selection.DueBy(Time.GetUtcNow())).WithTimeout();
        var lease = await Store.LeaseAsync(Queue, DueRequest(Seconds(0), Seconds(30))).WithTimeout();

        Assert.Equal(QueueError.QueueStopped, take.Error);
        Assert.Equal(QueueError.QueueStopped, lease.Error);
    }

    [Fact]
    public async Task A_key_without_a_receipt_names_the_current_lease_whoever_holds_it()
    {
        var id = await Put("a");
        Assert.Equal(QueueError.LeaseLost, await AckAny(id));
        await LeaseOne();

        Assert.Equal(QueueError.None, await AckAny(id));
        Assert.Equal(QueueError.NotFound, await AckAny(id));
    }

    [Fact]
    public async Task A_key_without_a_receipt_does_not_name_a_lease_that_lasts_while_a_message_is_written()
    {
        var id = await Put("a");
        var delivery = await LeaseOne(delivery: true);

        Assert.Equal(QueueError.LeaseLost, await AckAny(id));
        Assert.Equal(QueueError.None, await Ack(delivery));
    }

    [Fact]
    public async Task A_release_for_a_time_keeps_that_time_though_it_is_past()
    {
        await PutAll("other");
        await PutExactly("a", Seconds(-1));
        var lease = Assert.Single(await LeaseDue(Seconds(-1)));

        await Release(lease, new ReleaseRequest(CountsAsAttempt: false, AvailableAt: Time.GetUtcNow() + Seconds(-500)));

        var back = Assert.Single(await TakeDue(10, Seconds(-500)));
        Assert.Equal(("a", 1), (BodyOf(back), back.Attempt));
    }

    [Fact]
    public async Task A_release_for_a_time_to_come_delays_until_then()
    {
        await Put("a");

        await Release(
            await LeaseOne(), new ReleaseRequest(Delay: Seconds(5), CountsAsAttempt: false, AvailableAt: Time.GetUtcNow() + Seconds(60)));
        await ReopenAsync();

        Assert.Equal(Time.GetUtcNow() + Seconds(60), (await Info()).NextDelayedAt);
        Assert.Empty(await TakeAll());
        Time.Advance(Seconds(60));
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_message_that_is_put_back_counts_as_failed()
    {
        var message = NewMessage("a") with { CountsAsFailure = true };

        Assert.True((await TryPut(message)).Ok);
        await ReopenAsync();

        Assert.Equal((1, 1), ((int)(await Info()).Counters.Put, (int)(await Info()).Counters.Failed));
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task Where_messages_are_pushed_to_survives_a_reopen_until_it_is_removed()
    {
        await Set(new QueueSettingsPatch { PushUrl = "http://127.0.0.1:1/ü" });
        await ReopenAsync();
        Assert.Equal("http://127.0.0.1:1/ü", (await Info()).Settings.PushUrl);

        await Set(new QueueSettingsPatch { MaxAttempts = 3 });
        Assert.NotNull((await Info()).Settings.PushUrl);
        await Set(new QueueSettingsPatch { PushUrl = "" });
        await ReopenAsync();

        Assert.Null((await Info()).Settings.PushUrl);
    }

    private async Task PutExactly(string body, TimeSpan fromNow, string? id = null, int priority = 0)
    {
        var put = await TryPut(NewMessage(body, id, delay: fromNow, priority: priority) with { KeepsPastTime = true });
        Assert.False(put.Value.Duplicate);
    }

    private LeaseRequest DueRequest(TimeSpan callersNow, TimeSpan ttr) =>
        new(1, int.MaxValue, ttr, Selection: Selection.DueBy(Time.GetUtcNow() + callersNow));

    private async Task<IReadOnlyList<Lease>> LeaseDue(TimeSpan callersNow, TimeSpan? ttr = null) =>
        (await Store.LeaseAsync(Queue, DueRequest(callersNow, ttr ?? Seconds(30))).WithTimeout()).Value;

    private async Task<IReadOnlyList<Message>> TakeDue(int count, TimeSpan callersNow) =>
        (await Store.TakeAsync(Queue, count, int.MaxValue, Selection.DueBy(Time.GetUtcNow() + callersNow)).WithTimeout()).Value;

    private async Task<int> Requeue(TimeSpan callersNow, int limit) =>
        (await Store.EndDueLeasesAsync(Queue, Time.GetUtcNow() + callersNow, limit).WithTimeout()).Value;

    private async Task<long> CountDue(TimeSpan callersNow) => await Store.CountDueAsync(Queue, Time.GetUtcNow() + callersNow).WithTimeout();

    private async Task<QueueError> AckAny(MessageId id) =>
        Assert.Single(await Store.AckAsync(Queue, [new LeaseKey(id, default)]).WithTimeout());
}
