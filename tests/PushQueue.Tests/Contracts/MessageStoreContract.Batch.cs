using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_batch_is_stored_in_its_order()
    {
        var outcomes = await TryPutMany(NewMessage("a"), NewMessage("b", id: "x"), NewMessage("c"));

        Assert.Equal(3, outcomes.Value.Count);
        Assert.All(outcomes.Value, outcome => Assert.False(outcome.Duplicate));
        Assert.Equal(MessageId.Parse("x"), outcomes.Value[1].Id);
        Assert.Equal(["a", "b", "c"], await TakeAll());
    }

    [Fact]
    public async Task A_batch_may_mix_options()
    {
        await TryPutMany(
            NewMessage(
                "delayed",
                delay: Seconds(10)), NewMessage("low"), NewMessage("high", priority: 1), NewMessage("short", ttl: Seconds(1)));

        var ready = await Browse(MessageState.Ready);
        Time.Advance(Seconds(10));

        Assert.Equal(["high", "low", "short"], ready);
        Assert.Equal(["high", "low", "delayed"], await TakeAll());
    }

    [Fact]
    public async Task Duplicates_of_a_batch_are_told_and_not_stored()
    {
        await Put("live", id: "x");

        var outcomes = await TryPutMany(
            NewMessage("a"),
            NewMessage("again", id: "x"),
            NewMessage("b", id: "y"),
            NewMessage("twice", id: "y"));

        Assert.Equal([false, true, false, true], outcomes.Value.Select(outcome => outcome.Duplicate));
        Assert.Equal(["live", "a", "b"], await TakeAll());
    }

    [Fact]
    public async Task A_batch_with_a_unique_key_that_is_taken_stores_nothing()
    {
        await Put("live", uniqueKey: "key");

        var outcomes = await TryPutMany(NewMessage("a", id: "x"), NewMessage("b", uniqueKey: "key"));

        Assert.Equal(QueueError.UniqueKeyTaken, outcomes.Error);
        Assert.Equal(["live"], await TakeAll());
        Assert.False((await TryPut(NewMessage("a", id: "x"))).Value.Duplicate);
    }

    [Fact]
    public async Task A_batch_that_uses_a_unique_key_twice_stores_nothing()
    {
        var outcomes = await TryPutMany(NewMessage("a", uniqueKey: "key"), NewMessage("b", uniqueKey: "key"));

        Assert.Equal(QueueError.UniqueKeyTaken, outcomes.Error);
        Assert.Empty(await TakeAll());
        await Put("c", uniqueKey: "key");
    }

    [Fact]
    public async Task A_batch_that_does_not_fit_stores_nothing()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 3 });
        await PutAll("1", "2");

        var outcomes = await TryPutMany(NewMessage("a", id: "x"), NewMessage("b", uniqueKey: "key"));

        Assert.Equal(QueueError.QueueFull, outcomes.Error);
        Assert.Equal(["1", "2"], await TakeAll());
        await Put("a", id: "x");
        await Put("b", uniqueKey: "key");
    }

    [Fact]
    public async Task A_batch_drops_the_oldest_to_make_room()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 3, Overflow = FullQueuePolicy.DropOldest });
        await PutAll("1", "2", "3");

        await TryPutMany(NewMessage("a"), NewMessage("b"));

        Assert.Equal(["3", "a", "b"], await TakeAll());
    }

    [Fact]
    public async Task Duplicates_need_no_room()
    {
        await Set(new QueueSettingsPatch { MaxMessages = 2 });
        await Put("live", id: "x");

        var outcomes = await TryPutMany(NewMessage("again", id: "x"), NewMessage("a"));

        Assert.True(outcomes.Ok);
        Assert.Equal(2, (await Info()).Ready);
    }

    [Fact]
    public async Task An_empty_batch_stores_nothing()
    {
        var outcomes = await TryPutMany();

        Assert.Empty(outcomes.Value);
    }

    [Fact]
    public async Task A_large_batch_survives_a_reopen_whole_and_in_order()
    {
        var bodies = Enumerable.Range(0, 20_000).Select(number => $"message {number}").ToArray();
        await TryPutMany([.. bodies.Select(body => NewMessage(body))]);
        await ReopenAsync();

        var taken = await Take(bodies.Length + 1);

        Assert.Equal(bodies, BodiesOf(taken));
    }

    [Fact]
    public async Task Batches_of_many_writers_are_contiguous()
    {
        var writers = Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var batch = 0; batch < 10; batch++)
            {
                var messages = Enumerable.Range(0, 5).Select(index => NewMessage($"{writer}.{batch}.{index}")).ToArray();
                await TryPutMany(messages);
            }
        }));

        await Task.WhenAll(writers).WithTimeout();

        var taken = await TakeAll();
        Assert.Equal(400, taken.Length);
        foreach (var batch in taken.Chunk(5))
        {
            var prefix = batch[0][..^1];
            Assert.Equal(Enumerable.Range(0, 5).Select(index => $"{prefix}{index}"), batch);
        }
    }
}
