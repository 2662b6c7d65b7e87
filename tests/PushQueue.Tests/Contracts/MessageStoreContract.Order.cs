using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task Take_gives_messages_by_priority_then_arrival()
    {
        await Put("low 1");
        await Put("high 1", priority: 9);
        await Put("low 2");
        await Put("middle", priority: 5);
        await Put("high 2", priority: 9);

        var taken = await TakeAll();

        Assert.Equal(["high 1", "high 2", "middle", "low 1", "low 2"], taken);
    }

    [Fact]
    public async Task A_delayed_message_that_falls_due_sorts_by_its_due_time()
    {
        await Put("before", priority: 0);
        await Put("delayed", delay: Seconds(10));
        Time.Advance(Seconds(20));
        await Put("after");

        var taken = await TakeAll();

        Assert.Equal(["before", "delayed", "after"], taken);
    }

    [Fact]
    public async Task Delayed_messages_come_out_by_due_time_not_by_arrival()
    {
        await Put("third", delay: Seconds(30));
        await Put("first", delay: Seconds(10));
        await Put("second", delay: Seconds(20));
        Time.Advance(Seconds(60));

        var taken = await TakeAll();

        Assert.Equal(["first", "second", "third"], taken);
    }

    [Fact]
    public async Task Delayed_messages_of_one_due_time_come_out_by_arrival()
    {
        await Put("a", delay: Seconds(10));
        await Put("b", delay: Seconds(10));
        await Put("c", delay: Seconds(10));
        Time.Advance(Seconds(10));

        var taken = await TakeAll();

        Assert.Equal(["a", "b", "c"], taken);
    }

    [Fact]
    public async Task Priority_goes_before_the_due_time()
    {
        await Put("early", delay: Seconds(1));
        await Put("late but urgent", delay: Seconds(2), priority: 1);
        Time.Advance(Seconds(5));

        var taken = await TakeAll();

        Assert.Equal(["late but urgent", "early"], taken);
    }

    [Fact]
    public async Task A_clock_that_steps_back_does_not_let_later_puts_pass_earlier_ones()
    {
        await Put("first");
        Time.StepClock(-TimeSpan.FromHours(1));
        await Put("second");
        Time.StepClock(-TimeSpan.FromHours(1));
        await Put("third");

        var taken = await Take(10);

        Assert.Equal(["first", "second", "third"], BodiesOf(taken));
        Assert.True(taken[1].AvailableAt >= taken[0].AvailableAt);
        Assert.True(taken[2].AvailableAt >= taken[1].AvailableAt);
    }

    [Fact]
    public async Task A_clock_that_steps_back_between_two_opens_does_not_let_later_puts_pass_earlier_ones()
    {
        await Put("first");
        Time.StepClock(-TimeSpan.FromHours(1));
        await ReopenAsync();
        await Put("second");

        var taken = await TakeAll();

        Assert.Equal(["first", "second"], taken);
    }

    [Fact]
    public async Task A_clock_that_steps_back_leaves_ready_messages_ready()
    {
        await Put("plain");
        await Put("delayed", delay: Seconds(10));
        Time.Advance(Seconds(10));
        Assert.Equal(2, (await Info()).Ready);
        Time.StepClock(-TimeSpan.FromHours(1));

        var taken = await TakeAll();

        Assert.Equal(["plain", "delayed"], taken);
    }

    [Fact]
    public async Task A_released_message_keeps_its_place()
    {
        await PutAll("a", "b", "c");
        var lease = await LeaseOne();
        Time.Advance(Seconds(5));

        await Release(lease);

        Assert.Equal(["a", "b", "c"], await TakeAll());
    }

    [Fact]
    public async Task Messages_whose_leases_end_keep_their_places()
    {
        await PutAll("a", "b", "c", "d");
        await LeaseMany(3, Seconds(30));
        Time.Advance(Seconds(30));

        var taken = await TakeAll();

        Assert.Equal(["a", "b", "c", "d"], taken);
    }

    [Fact]
    public async Task Messages_released_in_any_order_come_out_in_their_own()
    {
        await PutAll("a", "b", "c", "d");
        var leases = await LeaseMany(4);

        foreach (var index in new[] { 2, 0, 3, 1 })
        {
            await Release(leases[index]);
        }

        Assert.Equal(["a", "b", "c", "d"], await TakeAll());
    }

    [Fact]
    public async Task The_order_survives_a_reopen()
    {
        await Put("low");
        await Put("delayed", delay: Seconds(1));
        Time.Advance(Seconds(2));
        await Put("later");
        await Put("high", priority: 3);
        await ReopenAsync();

        var taken = await TakeAll();

        Assert.Equal(["high", "low", "delayed", "later"], taken);
    }

    [Fact]
    public async Task A_leased_message_keeps_its_place_over_a_reopen()
    {
        await PutAll("a", "b");
        var lease = await LeaseOne(Seconds(60));
        await ReopenAsync();
        await Put("c");

        await Release(lease);

        Assert.Equal(["a", "b", "c"], await TakeAll());
    }

    [Fact]
    public async Task A_take_stops_before_the_bytes_asked_for()
    {
        await PutAll("12345", "12345", "12345");

        var taken = (await Store.TakeAsync(Queue, 10, 12).WithTimeout()).Value;

        Assert.Equal(2, taken.Count);
        Assert.Equal(1, (await Info()).Ready);
        Assert.Equal(["12345"], await TakeAll());
    }

    [Fact]
    public async Task The_first_message_is_taken_however_large_it_is()
    {
        await PutAll("1234567890", "b");

        var taken = (await Store.TakeAsync(Queue, 10, 5).WithTimeout()).Value;

        Assert.Equal("1234567890", BodyOf(Assert.Single(taken)));
        Assert.Equal(["b"], await TakeAll());
    }

    [Fact]
    public async Task A_take_by_the_callers_clock_stops_before_the_bytes_asked_for()
    {
        await Put("later", delay: Seconds(5));
        await PutAll("now 1", "now 2");

        var taken = (await Store.TakeAsync(Queue, 10, 12, Selection.DueBy(Time.GetUtcNow() + Seconds(10))).WithTimeout()).Value;

        Assert.Equal(["now 1", "now 2"], BodiesOf(taken));
        Assert.Equal(1, (await Info()).Delayed);
    }

    [Fact]
    public async Task The_bytes_of_a_take_hold_for_thousands_of_messages_too()
    {
        await TryPutMany([.. Enumerable.Range(0, 5000).Select(i => NewMessage("0123456789"))]);

        Assert.Equal(4096, (await Store.TakeAsync(Queue, 5000, 40_969).WithTimeout()).Value.Count);
        Assert.Equal(904, (await Info()).Ready);
    }
}
