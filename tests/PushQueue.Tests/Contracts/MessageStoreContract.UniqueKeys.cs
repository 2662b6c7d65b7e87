using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    [Fact]
    public async Task A_unique_key_is_taken_while_its_message_waits()
    {
        await Put("a", uniqueKey: "key");

        var again = await TryPut(NewMessage("b", uniqueKey: "key"));

        Assert.Equal(QueueError.UniqueKeyTaken, again.Error);
        Assert.Equal(["a"], await TakeAll());
    }

    [Fact]
    public async Task A_unique_key_is_taken_while_its_message_is_delayed_or_leased()
    {
        await Put("leased", uniqueKey: "l");
        await LeaseOne();
        await Put("delayed", uniqueKey: "d", delay: Seconds(10));

        var leased = await TryPut(NewMessage("b", uniqueKey: "l"));
        var delayed = await TryPut(NewMessage("b", uniqueKey: "d"));

        Assert.Equal(QueueError.UniqueKeyTaken, leased.Error);
        Assert.Equal(QueueError.UniqueKeyTaken, delayed.Error);
    }

    [Fact]
    public async Task A_unique_key_is_free_when_its_message_is_taken()
    {
        await Put("a", uniqueKey: "key");
        await TakeAll();

        await Put("b", uniqueKey: "key");

        Assert.Equal(["b"], await TakeAll());
    }

    [Fact]
    public async Task A_unique_key_is_free_when_its_message_is_acked_cancelled_or_broadcast()
    {
        await Put("acked", uniqueKey: "key");
        await Ack(await LeaseOne());
        await Cancel(await Put("cancelled", uniqueKey: "key"));
        await Put("broadcast", uniqueKey: "key");
        await Broadcast();

        await Put("last", uniqueKey: "key");

        Assert.Equal(["last"], await TakeAll());
    }

    [Fact]
    public async Task Unique_keys_belong_to_their_queue()
    {
        var other = QueueName.Parse(Queue + ".other");
        await Put("a", uniqueKey: "key");

        var elsewhere = await Store.PutAsync(other, NewMessage("b", uniqueKey: "key")).WithTimeout();

        Assert.True(elsewhere.Ok);
    }

    [Fact]
    public async Task A_repeated_put_with_id_and_key_is_a_duplicate_not_a_conflict()
    {
        await Put("a", id: "x", uniqueKey: "key");

        var again = await TryPut(NewMessage("a", id: "x", uniqueKey: "key"));

        Assert.True(again.Ok);
        Assert.True(again.Value.Duplicate);
    }

    [Fact]
    public async Task A_unique_key_survives_a_reopen()
    {
        await Put("a", uniqueKey: "key");
        await ReopenAsync();

        var again = await TryPut(NewMessage("b", uniqueKey: "key"));
        await TakeAll();
        var afterTake = await TryPut(NewMessage("c", uniqueKey: "key"));

        Assert.Equal(QueueError.UniqueKeyTaken, again.Error);
        Assert.True(afterTake.Ok);
    }
}
