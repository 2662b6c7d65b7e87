using System.Globalization;
using System.Text;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_put_is_also_put_into_the_subscribers()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Subscribe(Sub("b"), Queue.Value + "*");

        var put = await TryPut(NewMessage("hello"));

        Assert.Equal(2, put.Value.Copies);
        Assert.Equal(["hello"], await TakeAll());
        Assert.Equal(["hello"], await TakeAll(Sub("a")));
        Assert.Equal(["hello"], await TakeAll(Sub("b")));
    }

    [Fact]
    public async Task A_copy_has_what_consumers_see_of_the_message_and_none_of_the_rules_of_its_put()
    {
        await Subscribe(Sub("a"), Queue.Value);

        await TryPut(NewMessage(
            "hello", id: "x", delay: Seconds(10), ttl: Seconds(60), priority: 7, uniqueKey: "key", maxAttempts: 1,
                contentType: "text/x-odd"));

        var original = await Find(MessageId.Parse("x"));
        var copy = await Find(MessageId.Parse("x"), Sub("a"));
        Assert.Equal("hello", BodyOf(copy));
        Assert.Equal(
            (original.Id, original.ContentType, original.State, original.EnqueuedAt, original.AvailableAt, original.ExpiresAt,
                original.Priority),
            (copy.Id, copy.ContentType, copy.State, copy.EnqueuedAt, copy.AvailableAt, copy.ExpiresAt, copy.Priority));
        Assert.Null(copy.UniqueKey);
        Time.Advance(Seconds(10));
        Assert.Equal(QueueError.None, await Release(await LeaseOne(queue: Sub("a")), queue: Sub("a")));
        Assert.Equal(MessageState.Ready, (await Find(MessageId.Parse("x"), Sub("a"))).State);
    }

    [Fact]
    public async Task Each_copy_lives_its_own_life()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Subscribe(Sub("b"), Queue.Value);
        await Set(new QueueSettingsPatch { MaxAttempts = 1 }, Sub("a"));
        await PutAll("one", "two");

        var lease = await LeaseOne(queue: Sub("a"));
        await Release(lease, queue: Sub("a"));
        await Store.CancelAsync(Sub("b"), (await LeaseOne(queue: Sub("b"))).Message.Id).WithTimeout();

        Assert.Equal(["one"], await Browse(MessageState.Dead, Sub("a").DeadLetter));
        Assert.Equal(["two"], await TakeAll(Sub("a")));
        Assert.Equal(["two"], await TakeAll(Sub("b")));
        Assert.Equal(["one", "two"], await TakeAll());
    }

    [Fact]
    public async Task Copies_are_not_passed_on_so_that_circles_end()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Subscribe(Sub("b"), Sub("a").Value);
        await Subscribe(Queue, Sub("b").Value);

        var put = await TryPut(NewMessage("hello"));

        Assert.Equal(1, put.Value.Copies);
        Assert.Equal(["hello"], await TakeAll());
        Assert.Equal(["hello"], await TakeAll(Sub("a")));
        Assert.Null((await Store.LookAsync(Sub("b")).WithTimeout())?.Id);
    }

    [Fact]
    public async Task Two_queues_that_subscribe_to_each_other_pass_each_message_on_once_from_many_threads()
    {
        await Subscribe(Sub("a"), Sub("b").Value);
        await Subscribe(Sub("b"), Sub("a").Value);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(
            number => Task.Run(async () => await Store.PutAsync(Sub(number % 2 == 0 ? "a" : "b"), NewMessage($"{number}")))));

        var expected = Enumerable.Range(0, 200).Select(number => $"{number}").Order();
        Assert.Equal(expected, (await TakeAll(Sub("a"))).Order());
        Assert.Equal(expected, (await TakeAll(Sub("b"))).Order());
    }

    [Fact]
    public async Task A_pattern_does_not_mean_the_subscriber_itself_nor_dead_letters()
    {
        await Subscribe(Sub("all"), Queue.Value + "*");

        await Store.PutAsync(Sub("all"), NewMessage("own")).WithTimeout();
        await Store.PutAsync(Sub("x").DeadLetter, NewMessage("dead")).WithTimeout();

        Assert.Equal(["own"], await TakeAll(Sub("all")));
    }

    [Fact]
    public async Task A_queue_with_several_subscriptions_that_fit_gets_one_copy()
    {
        await Subscribe(Sub("a"), Queue.Value, Queue.Value + "*", Queue.Value + "**");

        var put = await TryPut(NewMessage("hello"));

        Assert.Equal(1, put.Value.Copies);
        Assert.Equal(["hello"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_queue_that_does_not_exist_yet_can_be_subscribed_to()
    {
        await Subscribe(Sub("a"), Sub("later.x").Value, Sub("soon").Value + ".*");

        await Store.PutAsync(Sub("later.x"), NewMessage("1")).WithTimeout();
        await Store.PutAsync(QueueName.Parse(Sub("soon").Value + ".y"), NewMessage("2")).WithTimeout();

        Assert.Equal(["1", "2"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_subscription_that_is_gone_copies_nothing_and_keeps_what_it_brought()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Put("before");

        await Subscribe(Sub("a"));
        var put = await TryPut(NewMessage("after"));

        Assert.Equal(0, put.Value.Copies);
        Assert.Equal(["before"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task Deleting_a_subscriber_ends_its_subscriptions()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Put("before");
        await Store.DeleteQueueAsync(Sub("a")).WithTimeout();

        var put = await TryPut(NewMessage("after"));
        await Store.PutAsync(Sub("a"), NewMessage("own")).WithTimeout();

        Assert.Equal(0, put.Value.Copies);
        Assert.Equal(["own"], await TakeAll(Sub("a")));
        Assert.Equal(QueueSubscriptions.None, (await Info(Sub("a"))).Settings.Subscriptions);
    }

    [Fact]
    public async Task Deleting_a_source_leaves_the_copies_and_the_subscription()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Put("before");
        await Store.DeleteQueueAsync(Queue).WithTimeout();

        await Put("after");

        Assert.Equal(["before", "after"], await TakeAll(Sub("a")));
        Assert.Equal(["after"], await TakeAll());
    }

    [Fact]
    public async Task A_repeated_id_puts_no_copies_again()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Put("hello", id: "x");
        await TakeAll(Sub("a"));

        var again = await TryPut(NewMessage("hello", id: "x"));

        Assert.Equal((true, 0), (again.Value.Duplicate, again.Value.Copies));
        Assert.Empty(await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task An_id_that_a_subscriber_knows_is_not_put_into_it_again()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Subscribe(Sub("b"), Queue.Value);
        await Set(new QueueSettingsPatch { DedupWindow = Seconds(600) }, Sub("a"));
        await Put("first", id: "x");
        await TakeAll();
        await TakeAll(Sub("a"));
        await TakeAll(Sub("b"));

        var again = await TryPut(NewMessage("second", id: "x"));

        Assert.Equal((false, 1), (again.Value.Duplicate, again.Value.Copies));
        Assert.Empty(await TakeAll(Sub("a")));
        Assert.Equal(["second"], await TakeAll(Sub("b")));
    }

    [Fact]
    public async Task Messages_without_an_id_get_a_number_of_each_queue()
    {
        await Subscribe(Sub("a"), Queue.Value, Sub("other").Value);
        await Store.PutAsync(Sub("other"), NewMessage("1")).WithTimeout();
        await Put("2");
        await Store.PutAsync(Sub("a"), NewMessage("3")).WithTimeout();

        var taken = await Take(10, Sub("a"));

        Assert.Equal(["1", "2", "3"], BodiesOf(taken));
        Assert.Equal(["1", "2", "3"], taken.Select(message => message.Id.ToString()));
    }

    [Fact]
    public async Task A_full_subscriber_that_rejects_refuses_the_whole_put_and_is_named()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Subscribe(Sub("full"), Queue.Value);
        await Subscribe(Sub("z"), Queue.Value);
        await Set(new QueueSettingsPatch { MaxMessages = 1 }, Sub("full"));
        await Put("first");

        var second = await TryPut(NewMessage("second"));
        await TakeAll(Sub("full"));
        var third = await TryPut(NewMessage("third"));

        Assert.Equal(QueueError.QueueFull, second.Error);
        Assert.Contains($"'{Sub("full")}'", second.Detail, StringComparison.Ordinal);
        Assert.Equal("2", third.Value.Id.ToString());
        Assert.Equal(["first", "third"], await TakeAll());
        Assert.Equal(["first", "third"], await TakeAll(Sub("a")));
        Assert.Equal(["third"], await TakeAll(Sub("full")));
        Assert.Equal(["first", "third"], await TakeAll(Sub("z")));
    }

    [Fact]
    public async Task A_full_subscriber_that_drops_drops_its_own_oldest()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Set(new QueueSettingsPatch { MaxMessages = 2, Overflow = FullQueuePolicy.DropOldest }, Sub("a"));

        await PutAll("1", "2", "3");

        Assert.Equal(["1", "2", "3"], await TakeAll());
        Assert.Equal(["2", "3"], await TakeAll(Sub("a")));
        Assert.Equal(1, (await Info(Sub("a"))).Counters.Dropped);
    }

    [Fact]
    public async Task A_stopped_subscriber_takes_copies()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Set(new QueueSettingsPatch { Stopped = true }, Sub("a"));

        await Put("hello");

        Assert.Equal(1, (await Info(Sub("a"))).Ready);
    }

    [Fact]
    public async Task A_batch_and_its_copies_are_stored_all_or_none()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Set(new QueueSettingsPatch { MaxMessages = 3 }, Sub("a"));

        var stored = await TryPutMany(NewMessage("1"), NewMessage("2", id: "x"), NewMessage("2", id: "x"));
        var refused = await TryPutMany(NewMessage("3"), NewMessage("4"));

        Assert.Equal([1, 1, 0], stored.Value.Select(outcome => outcome.Copies));
        Assert.Equal(QueueError.QueueFull, refused.Error);
        Assert.Equal(["1", "2"], await TakeAll());
        Assert.Equal(["1", "2"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task What_a_worker_puts_back_is_not_copied_again()
    {
        await Subscribe(Sub("a"), Queue.Value);

        var put = await TryPut(NewMessage("again") with { CountsAsFailure = true });

        Assert.Equal(0, put.Value.Copies);
        Assert.Empty(await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_replayed_dead_letter_is_not_copied_again()
    {
        await Subscribe(Sub("a"), Queue.Value);
        await Put("hello", maxAttempts: 1);
        await FailToDeath();

        await Store.ReplayAsync(DeadQueue, null, 10).WithTimeout();

        Assert.Equal(["hello"], await TakeAll());
        Assert.Equal(["hello"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task The_subscribers_of_a_queue_are_known_by_name()
    {
        await Subscribe(Sub("b"), Queue.Value);
        await Subscribe(Sub("a"), Queue.Value + "*");
        await Subscribe(Sub("c"), Sub("other").Value);

        var before = await Store.SubscribersAsync(Queue).WithTimeout();
        await Put("hello");
        var after = await Store.SubscribersAsync(Queue).WithTimeout();

        Assert.Equal([Sub("a"), Sub("b")], before);
        Assert.Equal([Sub("a"), Sub("b")], after);
        Assert.Empty(await Store.SubscribersAsync(DeadQueue).WithTimeout());
    }

    [Fact]
    public async Task Subscriptions_and_copies_survive_a_reopen()
    {
        await Subscribe(Sub("a"), Queue.Value, Queue.Value + ".a*b");
        await Put("1", id: "x");
        await TryPutMany(NewMessage("2"), NewMessage("3", delay: Seconds(5)));
        await TakeAll();
        await ReopenAsync();

        var put = await TryPut(NewMessage("4"));
        Time.Advance(Seconds(5));

        Assert.Equal(1, put.Value.Copies);
        Assert.Equal(QueueSubscriptions.Of([new QueueSubscription(Queue.Value), new QueueSubscription(Queue.Value + ".a*b")]),
            (await Info(Sub("a"))).Settings.Subscriptions);
        Assert.Equal(["1", "2", "4", "3"], await TakeAll(Sub("a")));
        Assert.Equal(["4", "3"], await TakeAll());
    }

    [Fact]
    public async Task Large_bodies_are_copied_whole()
    {
        await Subscribe(Sub("a"), Queue.Value);
        var body = new string('x', 1024 * 1024);

        await TryPut(new NewMessage { Body = Encoding.ASCII.GetBytes(body), ContentType = "text/plain" });

        Assert.Equal([body], await TakeAll(Sub("a")));
        Assert.Equal([body], await TakeAll());
    }

    [Fact]
    public async Task Puts_while_subscriptions_come_and_go_are_copied_whole_or_not_at_all()
    {
        var puts = Task.WhenAll(Enumerable.Range(0, 4).Select(producer => Task.Run(async () =>
        {
            var copied = new List<string>();
            for (var i = 0; i < 50; i++)
            {
                var id = $"{producer}-{i}";
                var put = await Store.PutAsync(Queue, NewMessage(id, id: id));
                copied.AddRange(Enumerable.Repeat(id, put.Value.Copies));
            }

            return copied;
        })));
        for (var i = 0; i < 20; i++)
        {
            await Subscribe(Sub("a"), i % 2 == 0 ? [Queue.Value] : []);
            await Subscribe(Sub("b"), i % 3 == 0 ? [Queue.Value + "*"] : [Sub("nothing").Value]);
        }

        var copied = (await puts.WithTimeout()).SelectMany(ids => ids).Order().ToArray();
        var found = (await TakeAll(Sub("a"))).Concat(await TakeAll(Sub("b"))).Order().ToArray();

        Assert.Equal(copied, found);
        Assert.Equal(200, (await TakeAll()).Length);
    }

    [Fact]
    public async Task A_thousand_subscribers_each_get_a_copy()
    {
        for (var i = 0; i < 1000; i++)
        {
            await Subscribe(Sub($"{i}"), Queue.Value);
        }

        var put = await TryPut(NewMessage("hello"));
        await Put("again");

        Assert.Equal(1000, put.Value.Copies);
        Assert.Equal(["hello", "again"], await TakeAll(Sub("0")));
        Assert.Equal(["hello", "again"], await TakeAll(Sub("999")));
    }

    [Fact]
    public async Task What_falls_due_in_the_put_after_a_new_subscription_is_done_once()
    {
        await TryPut(NewMessage("leased") with { Key = "a" });
        await LeaseOne(Seconds(30));
        await Subscribe(Sub("a"), Queue.Value);
        Time.Advance(Seconds(30));

        await Put("new");

        var info = await Info();
        Assert.Equal((2, 0, 1, 0), (info.Ready, info.Leased, info.Counters.Failed, info.BlockedKeys));
        Assert.Equal(["leased", "new"], await TakeAll());
        Assert.Equal(["new"], await TakeAll(Sub("a")));
    }

    [Fact]
    public async Task A_batch_that_makes_too_many_copies_is_refused_as_a_whole()
    {
        const int Subscribers = 250;
        for (var i = 0; i < Subscribers; i++)
        {
            await Subscribe(Sub($"{i}"), Queue.Value);
        }

        var most = QueueSubscriptions.CopiesMax / Subscribers;
        var refused = await TryPutMany([.. Enumerable.Range(0, most + 1).Select(i => NewMessage($"{i}"))]);
        var stored = await TryPutMany(NewMessage("1"), NewMessage("2"));

        Assert.Equal(QueueError.BatchTooLarge, refused.Error);
        Assert.Contains("in smaller batches", refused.Detail, StringComparison.Ordinal);
        Assert.Equal([1, 2], stored.Value.Select(static outcome => int.Parse(outcome.Id.ToString(), CultureInfo.InvariantCulture)));
        Assert.Equal(["1", "2"], await TakeAll());
        Assert.Equal(["1", "2"], await TakeAll(Sub("0")));
        Assert.Equal(["1", "2"], await TakeAll(Sub($"{Subscribers - 1}")));
    }

    [Fact]
    public async Task Many_puts_at_once_into_a_queue_with_many_subscribers_are_all_copied()
    {
        const int Subscribers = 250;
        for (var i = 0; i < Subscribers; i++)
        {
            await Subscribe(Sub($"{i}"), Queue.Value);
        }

        var puts = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => TryPut(NewMessage($"{i}"))));

        Assert.All(puts, static put => Assert.Equal(Subscribers, put.Value.Copies));
        Assert.Equal(100, puts.Select(static put => put.Value.Id).Distinct().Count());
        Assert.Equal(100, (await TakeAll()).Distinct().Count());
        Assert.Equal(100, (await TakeAll(Sub("0"))).Distinct().Count());
        Assert.Equal(100, (await TakeAll(Sub($"{Subscribers - 1}"))).Distinct().Count());
    }

    [Fact]
    public async Task A_subscription_too_many_is_refused_and_makes_no_queue()
    {
        for (var i = 0; i < QueueSubscriptions.TotalMax / QueueSubscriptions.CountMax; i++)
        {
            await Subscribe(Sub($"{i}"), [.. Enumerable.Range(0, QueueSubscriptions.CountMax).Select(other => $"{Queue}.{other}")]);
        }

        var patch = new QueueSettingsPatch { Subscriptions = QueueSubscriptions.Of([new QueueSubscription(Queue.Value)]) };
        var refused = await Store.UpdateSettingsAsync(Sub("more"), patch).WithTimeout();

        Assert.Equal(QueueError.TooManySubscriptions, refused.Error);
        Assert.Null(await Store.GetQueueAsync(Sub("more")).WithTimeout());
        await Subscribe(Sub("0"));
        Assert.True((await Store.UpdateSettingsAsync(Sub("more"), patch).WithTimeout()).Ok);
    }

    [Fact]
    public async Task A_queue_that_is_deleted_while_it_subscribes_leaves_no_subscription()
    {
        for (var i = 0; i < 100; i++)
        {
            await Task.WhenAll(
                Task.Run(() => Subscribe(Sub("a"), Queue.Value)), Task.Run(async () => await Store.DeleteQueueAsync(Sub("a")).WithTimeout()));
            await Store.DeleteQueueAsync(Sub("a")).WithTimeout();

            Assert.Empty(await Store.SubscribersAsync(Queue).WithTimeout());
        }
    }

    private protected QueueName Sub(string name) => QueueName.Parse($"{Queue}.sub.{name}");

    private protected Task<QueueSettings> Subscribe(QueueName subscriber, params string[] to) =>
        Set(new QueueSettingsPatch { Subscriptions = QueueSubscriptions.Of(to.Select(entry => new QueueSubscription(entry))) }, subscriber);
}
