using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task Broadcast_numbers_messages_from_one_on_in_the_order_they_come_out()
    {
        await Put("low");
        await Put("high", priority: 5);

        var first = await Broadcast();
        await Put("next");
        var second = await Broadcast();

        Assert.Equal(["high", "low"], BodiesOf(first));
        Assert.Equal([1, 2], OffsetsOf(first));
        Assert.Equal([3], OffsetsOf(second));
    }

    [Fact]
    public async Task A_broadcast_message_is_in_history_and_no_longer_live()
    {
        var id = await Put("a");

        await Broadcast();

        var info = await Info();
        Assert.Equal(0, info.Waiting);
        Assert.Equal(0, info.Bytes);
        Assert.Equal(1, info.History);
        Assert.Null(await TryFind(id));
        Assert.Empty(await TakeAll());
        Assert.Equal(["a"], BodiesOf((await History(1)).Messages));
    }

    [Fact]
    public async Task Broadcast_gives_at_most_as_many_as_asked()
    {
        await PutAll("a", "b", "c");

        var sent = await Broadcast(2);

        Assert.Equal(["a", "b"], BodiesOf(sent));
        Assert.Equal(1, (await Info()).Ready);
    }

    [Fact]
    public async Task Broadcast_stops_before_the_bytes_asked_for_but_never_before_the_first_message()
    {
        await PutAll("1234567890", "12345", "12345", "12345");

        var first = await Store.BroadcastAsync(Queue, 10, 5).WithTimeout();
        var next = await Store.BroadcastAsync(Queue, 10, 12).WithTimeout();

        Assert.Equal([1], OffsetsOf(first));
        Assert.Equal([2, 3], OffsetsOf(next));
    }

    [Fact]
    public async Task Broadcast_leaves_delayed_and_leased_messages()
    {
        await Put("leased");
        await LeaseOne();
        await Put("delayed", delay: Seconds(10));

        var sent = await Broadcast();

        Assert.Empty(sent);
        Assert.Equal(2, (await Info()).Waiting);
    }

    [Fact]
    public async Task A_stopped_queue_broadcasts_nothing()
    {
        await Put("a");
        await Set(new QueueSettingsPatch { Stopped = true });

        var sent = await Broadcast();

        Assert.Empty(sent);
        Assert.Equal(1, (await Info()).Ready);
    }

    [Fact]
    public async Task History_is_read_from_the_middle()
    {
        await PutAll("a", "b", "c", "d");
        await Broadcast();

        var page = await History(fromOffset: 2, count: 2);

        Assert.Equal(["b", "c"], BodiesOf(page.Messages));
        Assert.Equal([2, 3], OffsetsOf(page.Messages));
        Assert.Equal(1, page.Position.FirstOffset);
        Assert.Equal(5, page.Position.NextOffset);
    }

    [Fact]
    public async Task History_read_from_before_its_beginning_starts_there()
    {
        await Set(new QueueSettingsPatch { HistoryMessages = 2 });
        await PutAll("a", "b", "c", "d");
        await Broadcast();

        var page = await History(fromOffset: 1);

        Assert.Equal([3, 4], OffsetsOf(page.Messages));
        Assert.Equal(3, page.Position.FirstOffset);
    }

    [Fact]
    public async Task History_read_from_zero_starts_at_its_beginning()
    {
        await PutAll("a", "b");
        await Broadcast();

        var page = await History(fromOffset: 0);

        Assert.Equal([1, 2], OffsetsOf(page.Messages));
    }

    [Fact]
    public async Task History_read_from_after_its_end_is_empty()
    {
        await PutAll("a", "b");
        await Broadcast();

        var next = await History(fromOffset: 3);
        var beyond = await History(fromOffset: 1000);

        Assert.Empty(next.Messages);
        Assert.Empty(beyond.Messages);
        Assert.Equal(3, beyond.Position.NextOffset);
    }

    [Fact]
    public async Task History_stops_before_the_bytes_asked_for_but_never_before_the_first_message()
    {
        await PutAll("1234567890", "12345", "12345", "12345");
        await Broadcast();

        var first = await Store.ReadHistoryAsync(Queue, 1, 10, 5).WithTimeout();
        var next = await Store.ReadHistoryAsync(Queue, 2, 10, 12).WithTimeout();

        Assert.Equal([1], OffsetsOf(first!.Messages));
        Assert.Equal([2, 3], OffsetsOf(next!.Messages));
    }

    [Fact]
    public async Task An_unknown_queue_has_no_history()
    {
        var page = await Store.ReadHistoryAsync(Queue, 1, 10, 1000).WithTimeout();

        Assert.Null(page);
    }

    [Fact]
    public async Task The_position_of_a_queue_that_never_broadcast_is_one()
    {
        await Put("a");

        var position = (await Info()).Position;

        Assert.Equal(1, position.FirstOffset);
        Assert.Equal(1, position.NextOffset);
        Assert.NotEmpty(position.Epoch);
    }

    [Fact]
    public async Task History_keeps_the_latest_messages_by_count()
    {
        await Set(new QueueSettingsPatch { HistoryMessages = 3 });

        for (var i = 0; i < 10; i++)
        {
            await Put($"{i}");
            await Broadcast();
        }

        Assert.Equal(["7", "8", "9"], BodiesOf((await History(1)).Messages));
        Assert.Equal(3, (await Info()).History);
    }

    [Fact]
    public async Task History_of_no_messages_still_counts_offsets()
    {
        await Set(new QueueSettingsPatch { HistoryMessages = 0 });
        await PutAll("a", "b");

        var sent = await Broadcast();

        var page = await History(1);
        Assert.Equal([1, 2], OffsetsOf(sent));
        Assert.Empty(page.Messages);
        Assert.Equal(3, page.Position.FirstOffset);
        Assert.Equal(3, page.Position.NextOffset);
    }

    [Fact]
    public async Task History_forgets_messages_by_age_from_their_broadcast()
    {
        await Set(new QueueSettingsPatch { HistoryAge = Seconds(60) });
        await Put("waited long");
        Time.Advance(Seconds(600));
        await Broadcast();
        Time.Advance(Seconds(40));
        await Put("later");
        await Broadcast();

        var both = await History(1);
        Time.Advance(Seconds(21));
        var one = await History(1);
        Time.Advance(Seconds(60));
        var none = await History(1);

        Assert.Equal([1, 2], OffsetsOf(both.Messages));
        Assert.Equal([2], OffsetsOf(one.Messages));
        Assert.Empty(none.Messages);
        Assert.Equal(3, none.Position.FirstOffset);
        Assert.Equal(3, none.Position.NextOffset);
    }

    [Fact]
    public async Task A_smaller_history_holds_at_once()
    {
        await PutAll("a", "b", "c");
        await Broadcast();

        await Set(new QueueSettingsPatch { HistoryMessages = 1 });

        Assert.Equal(["c"], BodiesOf((await History(1)).Messages));
    }

    [Fact]
    public async Task A_message_in_history_does_not_expire_by_its_time_to_live()
    {
        await Put("a", ttl: Seconds(10));
        await Broadcast();
        Time.Advance(Seconds(20));

        var page = await History(1);

        Assert.Equal(["a"], BodiesOf(page.Messages));
        Assert.Equal(0, (await Info()).Counters.Expired);
    }

    [Fact]
    public async Task History_and_offsets_survive_a_reopen()
    {
        await PutAll("a", "b");
        await Broadcast();
        var before = (await Info()).Position;
        await ReopenAsync();

        var page = await History(1);
        await Put("c");
        var next = await Broadcast();

        Assert.Equal(["a", "b"], BodiesOf(page.Messages));
        Assert.Equal([1, 2], OffsetsOf(page.Messages));
        Assert.Equal(before, page.Position);
        Assert.Equal([3], OffsetsOf(next));
    }

    [Fact]
    public async Task Offsets_go_on_after_a_reopen_though_history_is_empty()
    {
        await Set(new QueueSettingsPatch { HistoryMessages = 0 });
        await PutAll("a", "b");
        await Broadcast();
        var before = (await Info()).Position;
        await ReopenAsync();

        await Put("c");
        var next = await Broadcast();

        Assert.Equal([3], OffsetsOf(next));
        Assert.Equal(before.Epoch, (await Info()).Position.Epoch);
    }

    [Fact]
    public async Task Trimmed_history_stays_trimmed_after_a_reopen()
    {
        await Set(new QueueSettingsPatch { HistoryMessages = 2, HistoryAge = Seconds(60) });
        await PutAll("a", "b", "c");
        await Broadcast();
        await ReopenAsync();

        var page = await History(1);
        Time.Advance(Seconds(61));
        var aged = await History(1);

        Assert.Equal([2, 3], OffsetsOf(page.Messages));
        Assert.Empty(aged.Messages);
    }

    [Fact]
    public async Task A_queue_deleted_and_made_again_has_another_epoch()
    {
        await Put("a");
        await Broadcast();
        var before = (await Info()).Position;
        await Store.DeleteQueueAsync(Queue).WithTimeout();

        await Put("b");
        await Broadcast();

        Assert.NotEqual(before.Epoch, (await Info()).Position.Epoch);
    }

    [Fact]
    public async Task A_queue_deleted_and_made_again_after_a_reopen_has_another_epoch()
    {
        await Put("a");
        var before = (await Info()).Position;
        await Store.DeleteQueueAsync(Queue).WithTimeout();
        await ReopenAsync();

        await Put("b");

        Assert.NotEqual(before.Epoch, (await Info()).Position.Epoch);
    }

    [Fact]
    public async Task Takes_leave_no_hole_in_the_offsets()
    {
        await PutAll("a", "b", "c");
        await Broadcast(1);
        await Take(1);

        var sent = await Broadcast();

        Assert.Equal(["c"], BodiesOf(sent));
        Assert.Equal([2], OffsetsOf(sent));
    }
}
