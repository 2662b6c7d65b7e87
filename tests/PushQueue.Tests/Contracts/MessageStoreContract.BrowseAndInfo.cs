using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task Browse_shows_the_messages_of_one_state_in_the_order_they_come_out()
    {
        await Put("leased");
        await LeaseOne();
        await Put("low");
        await Put("high", priority: 1);
        await Put("late", delay: Seconds(20));
        await Put("soon", delay: Seconds(10));

        var ready = await Browse(MessageState.Ready);
        var delayed = await Browse(MessageState.Delayed);
        var leased = await Browse(MessageState.Leased);

        Assert.Equal(["high", "low"], ready);
        Assert.Equal(["soon", "late"], delayed);
        Assert.Equal(["leased"], leased);
        Assert.Equal(5, (await Info()).Waiting);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Pages_hold_every_message_once(int limit)
    {
        var bodies = Enumerable.Range(0, 7).Select(number => $"{number}").ToArray();
        await PutAll(bodies);

        var pages = await BrowsePages(MessageState.Ready, limit);

        Assert.Equal(bodies, BodiesOf(pages.SelectMany(page => page.Messages)));
        Assert.All(pages, page => Assert.InRange(page.Messages.Count, 1, limit));
        Assert.Equal((7 + limit - 1) / limit, pages.Count);
    }

    [Fact]
    public async Task The_newest_are_the_last_in_order_last_first()
    {
        Assert.Empty(await Store.NewestAsync(Queue, 10));
        for (var i = 1; i <= 5; i++)
        {
            await Put($"{i}");
        }

        await Put("high", id: "high", priority: 9);
        await Put("later", id: "later", delay: Seconds(10));
        var lease = await LeaseOne();
        var next = await LeaseOne();

        Assert.Equal(("high", "1"), (lease.Message.Id.ToString(), next.Message.Id.ToString()));
        Assert.Equal(["5", "4"], (await Store.NewestAsync(Queue, 2)).Select(id => id.ToString()));
        await Release(next);
        Assert.Equal(["5", "4", "3", "2", "1"], (await Store.NewestAsync(Queue, 10)).Select(id => id.ToString()));
    }

    [Fact]
    public async Task A_page_ends_at_16_MiB_of_bodies_and_holds_one_message_at_least()
    {
        var sizes = new[] { 9, 7, 1, 17, 5 };
        foreach (var size in sizes)
        {
            await Put(new string((char)('a' + size), size * 1024 * 1024));
        }

        var pages = await BrowsePages(MessageState.Ready, 100);

        Assert.Equal(
            ["9 7", "1", "17", "5"],
            pages.Select(page => string.Join(' ', page.Messages.Select(message => message.Body.Length >> 20))));
    }

    [Theory]
    [InlineData(nameof(MessageState.Delayed))]
    [InlineData(nameof(MessageState.Leased))]
    [InlineData(nameof(MessageState.Dead))]
    public async Task Pages_of_every_state_hold_every_message_once(string stateName)
    {
        var state = Enum.Parse<MessageState>(stateName);
        await Set(new QueueSettingsPatch { MaxAttempts = 1 });
        for (var i = 0; i < 5; i++)
        {
            await Put($"{i}", delay: state == MessageState.Delayed ? Seconds(10) : null, priority: i % 2);
        }

        if (state != MessageState.Delayed)
        {
            foreach (var lease in await LeaseMany(5))
            {
                _ = state == MessageState.Dead ? await Release(lease) : QueueError.None;
            }
        }

        var pages = await BrowsePages(state, 2, state == MessageState.Dead ? DeadQueue : Queue);

        var messages = pages.SelectMany(page => page.Messages).ToList();
        Assert.Equal(["0", "1", "2", "3", "4"], BodiesOf(messages).Order());
        Assert.All(messages, message => Assert.Equal(state, message.State));
    }

    [Fact]
    public async Task A_page_goes_on_where_the_last_one_ended_though_messages_left()
    {
        await PutAll("a", "b", "c", "d");
        var first = (await Store.BrowseAsync(Queue, MessageState.Ready, null, 2).WithTimeout()).Value;
        await Take(2);
        await Put("e");

        var second = (await Store.BrowseAsync(Queue, MessageState.Ready, first.Next, 10).WithTimeout()).Value;

        Assert.Equal(["c", "d", "e"], BodiesOf(second.Messages));
        Assert.Null(second.Next);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("-1")]
    [InlineData("🐇")]
    [InlineData("99999999999999999999999999")]
    public async Task A_cursor_of_anothers_making_is_refused(string after)
    {
        await Put("a");

        var page = await Store.BrowseAsync(Queue, MessageState.Ready, after, 10).WithTimeout();

        Assert.Equal(QueueError.BadOption, page.Error);
    }

    [Fact]
    public async Task An_unknown_queue_has_an_empty_page()
    {
        var page = (await Store.BrowseAsync(Queue, MessageState.Ready, null, 10).WithTimeout()).Value;

        Assert.Empty(page.Messages);
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task A_queue_says_what_is_in_it()
    {
        await Put("1", ttl: Seconds(60));
        await LeaseOne(Seconds(60));
        Time.Advance(Seconds(1));
        var oldest = Time.GetUtcNow();
        await Put("12");
        Time.Advance(Seconds(1));
        await Put("123");
        await Put("1234", delay: Seconds(20));
        await Put("12345", delay: Seconds(10));

        var info = await Info();

        Assert.Equal(Queue, info.Name);
        Assert.Equal(2, info.Ready);
        Assert.Equal(2, info.Delayed);
        Assert.Equal(1, info.Leased);
        Assert.Equal(15, info.Bytes);
        Assert.Equal(oldest, info.OldestReadyAt);
        Assert.Equal(Time.GetUtcNow() + Seconds(10), info.NextDelayedAt);
    }

    [Fact]
    public async Task The_oldest_ready_message_may_have_a_low_priority()
    {
        var oldest = Time.GetUtcNow();
        await Put("old");
        Time.Advance(Seconds(10));
        await Put("urgent", priority: 9);

        var info = await Info();

        Assert.Equal(oldest, info.OldestReadyAt);
    }

    [Fact]
    public async Task An_empty_queue_has_no_oldest_and_no_next_message()
    {
        await Put("a");
        await TakeAll();

        var info = await Info();

        Assert.Null(info.OldestReadyAt);
        Assert.Null(info.NextDelayedAt);
        Assert.Equal(0, info.Bytes);
    }

    [Fact]
    public async Task A_queue_counts_what_it_has_done()
    {
        await Set(new QueueSettingsPatch { MaxAttempts = 2 });
        await PutAll("acked", "dead", "cancelled", "taken", "broadcast");
        await Ack(await LeaseOne());
        await Release(await LeaseOne());
        await Release(await LeaseOne());
        await Cancel(MessageId.FromNumber(3));
        await Take(1);
        await Broadcast();
        await Put("expired", ttl: Seconds(1));
        Time.Advance(Seconds(1));

        var counters = (await Info()).Counters;

        Assert.Equal(
            new QueueCounters { Put = 6, Delivered = 3, Acked = 1, Failed = 2, Cancelled = 1, Expired = 1, Dropped = 0, DeadLettered = 1 },
            counters);
    }

    [Fact]
    public async Task Counters_survive_a_reopen()
    {
        await PutAll("a", "b");
        await Take(1);
        var before = (await Info()).Counters;
        await ReopenAsync();

        var after = (await Info()).Counters;

        Assert.Equal(before, after);
    }

    [Fact]
    public async Task A_duplicate_is_not_counted_as_put()
    {
        await Put("a", id: "x");

        await TryPut(NewMessage("a", id: "x"));

        Assert.Equal(1, (await Info()).Counters.Put);
    }

    private async Task<List<MessagePage>> BrowsePages(MessageState state, int limit, QueueName? queue = null)
    {
        var pages = new List<MessagePage>();
        string? after = null;
        do
        {
            var page = (await Store.BrowseAsync(queue ?? Queue, state, after, limit).WithTimeout()).Value;
            pages.Add(page);
            after = page.Next;
        }
        while (after is not null && pages.Count < 100);

        return pages;
    }
}
