using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

/// <summary>Subscriptions that begin with what their sources hold.</summary>
public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_subscription_from_the_earliest_gets_history_then_what_the_source_holds_then_later_puts()
    {
        await PutAll("one", "two");
        await Broadcast();
        await PutAll("three", "four");
        Time.Advance(Seconds(5));

        await SubscribeFromEarliest(Sub("a"), Queue.Value);
        await PutAll("five");

        await Copied(Sub("a"));
        Assert.Equal(["one", "two", "three", "four", "five"], await TakeAll(Sub("a")));
        Assert.Equal(["three", "four", "five"], await TakeAll());
    }

    [Fact]
    public async Task Earlier_messages_come_before_those_that_were_put_while_they_were_copied()
    {
        for (var i = 0; i < 3; i++)
        {
            await Store.PutManyAsync(Queue, [.. Enumerable.Range(i * 200, 200).Select(number => NewMessage($"{number}"))]).WithTimeout();
            if (i == 1)
            {
                await Broadcast();
            }
        }

        await SubscribeFromEarliest(Sub("a"), Queue.Value);
        await PutAll("600", "601", "602");
        await Broadcast();
        await PutAll("603");

        await Copied(Sub("a"));
        Assert.Equal(Enumerable.Range(0, 604).Select(number => $"{number}"), await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task An_earlier_message_is_copied_as_it_was_put()
    {
        await TryPut(NewMessage(
            "later", id: "x", delay: Seconds(10), ttl: Seconds(60), priority: 7, uniqueKey: "key", maxAttempts: 1,
                contentType: "text/x-odd"));
        await Put("leased");
        await Put("failed");
        var leases = await LeaseMany(2);
        await Store.ReleaseAsync(Queue, [KeyOf(leases[1])], new ReleaseRequest(Seconds(30), "failed once")).WithTimeout();

        await SubscribeFromEarliest(Sub("a"), Queue.Value);
        await Copied(Sub("a"));

        var (original, copy) = (await Find(MessageId.Parse("x")), await Find(MessageId.Parse("x"), Sub("a")));
        Assert.Equal(
            (original.ContentType, MessageState.Delayed, original.EnqueuedAt, original.AvailableAt, original.ExpiresAt, original.Priority),
            (copy.ContentType, copy.State, copy.EnqueuedAt, copy.AvailableAt, copy.ExpiresAt, copy.Priority));
        Assert.Null(copy.UniqueKey);
        var taken = await LeaseMany(10, queue: Sub("a"));
        Assert.Equal(["leased", "failed"], taken.Select(lease => BodyOf(lease.Message)));
        Assert.All(taken, lease => Assert.Equal((1, null), (lease.Message.Attempt, lease.Message.LastError)));
    }

    [Fact]
    public async Task The_filter_of_an_entry_holds_for_earlier_messages_too()
    {
        Assert.True(MessageFilter.TryParse(["tenant=7"], out var filter, out _));
        foreach (var tenant in new[] { "7", "8", "7" })
        {
            await TryPut(NewMessage($"of {tenant}") with { Headers = Headers(("tenant", tenant)) });
        }

        await SubscribeTo(Sub("a"), [new(Queue.Value, filter, FromEarliest: true)]);
        await Copied(Sub("a"));

        Assert.Equal(["of 7", "of 7"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_source_that_feeds_the_queue_already_is_not_copied_again()
    {
        await PutAll("before");
        await Subscribe(Sub("a"), Queue.Value);
        await PutAll("one");

        var settings = await SubscribeFromEarliest(Sub("a"), Queue.Value);
        await SubscribeFromEarliest(Sub("a"), Queue.Value, Sub("other").Value);
        await Copied(Sub("a"));

        Assert.True(settings.Subscriptions.Entries[0].FromEarliest);
        Assert.Equal(["one"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_pattern_from_the_earliest_copies_every_queue_that_it_fits()
    {
        var sources = Enumerable.Range(0, 5).Select(number => QueueName.Parse($"{Queue}.in.{number}")).ToList();
        foreach (var source in sources)
        {
            await Store.PutManyAsync(source, [NewMessage($"{source} 1"), NewMessage($"{source} 2")]).WithTimeout();
        }

        await SubscribeFromEarliest(Sub("a"), $"{Queue}.in.*", sources[2].Value);
        await Store.PutAsync(QueueName.Parse($"{Queue}.in.new"), NewMessage("of a new queue")).WithTimeout();
        await Copied(Sub("a"));

        var all = await TakeAll(Sub("a"));
        Assert.Equal(11, all.Length);
        Assert.All(sources, source => Assert.Equal(
            [$"{source} 1", $"{source} 2"], all.Where(body => body.StartsWith($"{source} ", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task An_id_that_the_queue_knows_is_not_copied_again()
    {
        await Put("of the source", id: "x");
        await Put("only there", id: "y");
        await Store.PutAsync(Sub("a"), NewMessage("own", id: "x")).WithTimeout();

        await SubscribeFromEarliest(Sub("a"), Queue.Value);
        await Copied(Sub("a"));

        Assert.Equal(["only there", "own"], (await TakeAll(Sub("a"))).Order());
    }

    [Fact]
    public async Task Removing_the_entry_or_deleting_a_queue_while_it_is_copied_leaves_nothing_that_waits()
    {
        await Store.PutManyAsync(Queue, [.. Enumerable.Range(0, 3000).Select(number => NewMessage($"{number}"))]).WithTimeout();
        await SubscribeFromEarliest(Sub("removed"), Queue.Value);
        await SubscribeFromEarliest(Sub("deleted"), Queue.Value);
        await SubscribeFromEarliest(Sub("orphan"), Queue.Value);
        await Subscribe(Sub("removed"));
        await Store.DeleteQueueAsync(Sub("deleted")).WithTimeout();
        await Store.DeleteQueueAsync(Queue).WithTimeout();

        foreach (var queue in new[] { Sub("removed"), Sub("orphan") })
        {
            await Copied(queue);
            var copied = BodiesOf(await Take(10_000, queue));
            Assert.Equal(Enumerable.Range(0, copied.Length).Select(number => $"{number}"), copied);
        }

        Assert.Null(await Store.GetQueueAsync(Sub("deleted")).WithTimeout());
        await SubscribeFromEarliest(Sub("deleted"), Queue.Value);
        await Put("of the next queue of that name");
        await Copied(Sub("deleted"));
        Assert.Equal(["of the next queue of that name"], await TakeAll(Sub("deleted")));
        Assert.Equal(["of the next queue of that name"], await TakeAll(Sub("orphan")));
    }

    [Fact]
    public async Task Subscriptions_from_the_earliest_miss_nothing_while_messages_pour_in_and_are_broadcast()
    {
        await Store.PutManyAsync(Queue, [.. Enumerable.Range(0, 700).Select(number => NewMessage($"before-{number}"))]).WithTimeout();
        await Set(new QueueSettingsPatch { HistoryMessages = 100_000 });

        var subscribers = new List<QueueName>();
        var poured = await PourWhile(async i =>
        {
            if (i % 3 == 0 && subscribers.Count < 10)
            {
                subscribers.Add(Sub($"s{subscribers.Count}"));
                await SubscribeFromEarliest(subscribers[^1], Queue.Value);
            }

            await Broadcast(50);
        });

        Assert.NotEmpty(subscribers);
        foreach (var subscriber in subscribers)
        {
            await Copied(subscriber);
            var all = BodiesOf(await Take(10_000, subscriber));
            Assert.Equal(
                Enumerable.Range(0, 700).Select(number => $"before-{number}"),
                all.Where(body => body.StartsWith("before-", StringComparison.Ordinal)));
            Assert.Equal(700 + poured.Count, all.Length);
            AssertPoured(poured, all);
        }
    }

    [Fact]
    public async Task A_store_that_is_closed_while_it_copies_continues_where_it_was()
    {
        await Store.PutManyAsync(Queue, [.. Enumerable.Range(0, 3000).Select(number => NewMessage($"{number}"))]).WithTimeout();
        await SubscribeFromEarliest(Sub("a"), Queue.Value);
        await PutAll("3000");

        await ReopenAsync();
        await PutAll("3001");
        await Copied(Sub("a"));

        Assert.Equal(Enumerable.Range(0, 3002).Select(number => $"{number}"), BodiesOf(await Take(10_000, Sub("a"))));
    }

    /// <summary>Waits until a queue has what its sources held.</summary>
    private protected Task Copied(QueueName queue) =>
        Eventually.TrueAsync(async () => !(await Info(queue)).IsCopying, "what the sources held is copied");

    private protected Task<QueueSettings> SubscribeFromEarliest(QueueName subscriber, params string[] to) =>
        SubscribeTo(subscriber, [.. to.Select(entry => new QueueSubscription(entry, FromEarliest: true))]);
}
