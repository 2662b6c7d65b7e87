using PushQueue.Queues;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_full_queue_refuses_puts_and_keeps_what_it_has()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 2 });
        await PutAll("a", "b");

        var third = await TryPut(NewMessage("c"));

        Assert.Equal(QueueError.QueueFull, third.Error);
        Assert.Equal(["a", "b"], await TakeAll());
    }

    [Fact]
    public async Task A_full_queue_takes_puts_again_when_there_is_room()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 2 });
        await PutAll("a", "b");
        await Take(1);

        await Put("c");

        Assert.Equal(["b", "c"], await TakeAll());
    }

    [Fact]
    public async Task Delayed_and_leased_messages_fill_a_queue()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 2 });
        await Put("leased");
        await LeaseOne();
        await Put("delayed", delay: Seconds(10));

        var third = await TryPut(NewMessage("c"));

        Assert.Equal(QueueError.QueueFull, third.Error);
    }

    [Fact]
    public async Task A_queue_is_full_by_the_bytes_of_its_bodies()
    {
        await Set(new QueueSettingsPatch { MaxBytes = 10 });
        await PutAll("1234", "1234");

        var tooMuch = await TryPut(NewMessage("123"));
        var justRight = await TryPut(NewMessage("12"));

        Assert.Equal(QueueError.QueueFull, tooMuch.Error);
        Assert.True(justRight.Ok);
        Assert.Equal(10, (await Info()).Bytes);
    }

    [Fact]
    public async Task History_fills_no_queue()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 1, MaxBytes = 1 });
        await Put("a");
        await Broadcast();

        await Put("b");

        Assert.Equal(["b"], await TakeAll());
    }

    [Fact]
    public async Task A_duplicate_is_no_put_to_a_full_queue()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 1 });
        await Put("a", id: "x");

        var again = await TryPut(NewMessage("a", id: "x"));

        Assert.True(again.Value.Duplicate);
    }

    [Fact]
    public async Task Drop_oldest_makes_room_for_a_message()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 2, Overflow = FullQueuePolicy.DropOldest });
        var first = await Put("a");
        await Put("b");

        await Put("c");

        Assert.Null(await TryFind(first));
        Assert.Equal(1, (await Info()).Counters.Dropped);
        Assert.Equal(["b", "c"], await TakeAll());
    }

    [Fact]
    public async Task Drop_oldest_drops_the_oldest_not_the_most_urgent()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 2, Overflow = FullQueuePolicy.DropOldest });
        await Put("old");
        Time.Advance(Seconds(1));
        await Put("urgent", priority: 9);
        Time.Advance(Seconds(1));

        await Put("new");

        Assert.Equal(["urgent", "new"], await TakeAll());
    }

    [Fact]
    public async Task A_batch_larger_than_the_queue_is_refused_under_drop_oldest_too()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 2, Overflow = FullQueuePolicy.DropOldest });
        await PutAll("a", "b");

        var outcomes = await TryPutMany(NewMessage("1"), NewMessage("2"), NewMessage("3"));

        Assert.Equal(QueueError.QueueFull, outcomes.Error);
        Assert.Equal(["a", "b"], await TakeAll());
    }

    [Fact]
    public async Task Drop_oldest_makes_room_for_bytes()
    {
        await Set(new QueueSettingsPatch { MaxBytes = 10, Overflow = FullQueuePolicy.DropOldest });
        await PutAll("1234", "5678", "90");

        await Put("abcde");

        Assert.Equal(["90", "abcde"], await TakeAll());
    }

    [Fact]
    public async Task Drop_oldest_drops_no_leased_message()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 2, Overflow = FullQueuePolicy.DropOldest });
        await PutAll("leased", "ready");
        var lease = await LeaseOne();

        await Put("c");

        Assert.Equal(QueueError.None, await Ack(lease));
        Assert.Equal(["c"], await TakeAll());
    }

    [Fact]
    public async Task Drop_oldest_refuses_what_can_never_fit_and_drops_nothing_for_it()
    {
        await Set(new QueueSettingsPatch { MaxBytes = 10, Overflow = FullQueuePolicy.DropOldest });
        await PutAll("1234", "5678");

        var tooLarge = await TryPut(NewMessage("12345678901"));

        Assert.Equal(QueueError.QueueFull, tooLarge.Error);
        Assert.Equal(["1234", "5678"], await TakeAll());
    }

    [Fact]
    public async Task Drop_oldest_refuses_where_everything_is_leased()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 1, Overflow = FullQueuePolicy.DropOldest });
        await Put("a");
        await LeaseOne();

        var second = await TryPut(NewMessage("b"));

        Assert.Equal(QueueError.QueueFull, second.Error);
    }

    [Fact]
    public async Task A_dropped_message_stays_dropped_after_a_reopen()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 1, Overflow = FullQueuePolicy.DropOldest });
        await PutAll("a", "b");
        await ReopenAsync();

        var taken = await TakeAll();

        Assert.Equal(["b"], taken);
    }

    [Fact]
    public async Task A_limit_below_what_waits_refuses_puts_and_drops_nothing()
    {
        await PutAll("a", "b", "c");

        await Set(new QueueSettingsPatch { MaxMessages = 1 });

        Assert.Equal(QueueError.QueueFull, (await TryPut(NewMessage("d"))).Error);
        Assert.Equal(["a", "b", "c"], await TakeAll());
    }
}
