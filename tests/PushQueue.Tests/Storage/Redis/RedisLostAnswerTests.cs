using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Redis has done what it was asked for, and its answer does not arrive.</summary>
public sealed class RedisLostAnswerTests(SharedRedis redis)
{
    private static readonly QueueName Queue = RedisStores.Queue;

    [Theory]
    [InlineData(true, false, null)]
    [InlineData(false, true, null)]
    [InlineData(false, true, 3600)]
    public async Task What_was_leased_in_an_answer_that_was_lost_comes_back_as_if_it_had_never_been_leased(
        bool delivery,
        bool streaming,
        int? seconds)
    {
        await using var stores = new RedisStores(await redis.OptionsAsync());
        await using var proxy = new TcpProxy(redis.Port);
        var listener = new RecordingListener();
        var store = await stores.OpenAsync(listener, options => options with { Configuration = proxy.Address });
        var other = await stores.OpenAsync();
        await RedisStores.PutAsync(other, "held");
        var held = Assert.Single((await store.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeToRun: null))).Value);
        await RedisStores.PutAsync(other, "precious");

        proxy.LosesAnswer = static piece => piece.Span.IndexOf("precious"u8) >= 0;
        var request = new LeaseRequest(
            5, 100, seconds is { } ttr ? TimeSpan.FromSeconds(ttr) : null, Worker: "w1", Delivery: delivery, Streaming: streaming);
        var lost = await store.LeaseAsync(Queue, request).WithTimeout();
        proxy.LosesAnswer = null;
        await listener.WaitForAsync<Resumed>(default);

        Assert.Equal(QueueError.StoreUnavailable, lost.Error);
        await Eventually.TrueAsync(async () => (await other.GetQueueAsync(Queue))!.Ready == 1, "it is ready again");
        var message = Assert.Single((await other.BrowseAsync(Queue, MessageState.Ready, null, 10)).Value.Messages);
        Assert.Equal(0, message.Attempt);
        Assert.Equal([QueueError.None], await other.CheckAsync(Queue, [new LeaseKey(held.Message.Id, held.Receipt)]));
    }

    [Fact]
    public void Lost_leases_are_looked_for_again_and_again_and_then_no_more()
    {
        var lost = new LostLeases();
        lost.Add(Queue, "4503599627370497", [1, 2, 3, 4, 5, 6, 7, 8]);

        var looks = new List<int>();
        for (var beat = 0; beat < 100; beat++)
        {
            foreach (var lease in lost.Take())
            {
                looks.Add(beat);
                lost.Looked(lease);
            }
        }

        Assert.Equal([0, 1, 3, 7, 15, 31], looks);
    }

    [Fact]
    public async Task An_answer_stands_though_the_directory_cannot_be_written()
    {
        var options = await redis.OptionsAsync();
        await using var stores = new RedisStores(options);
        var store = await stores.OpenAsync();
        await redis.CommandAsync("SET", $"{options.KeyPrefix}:{{directory}}", "mine");

        await RedisStores.PutAsync(store, "a");

        Assert.Equal(["a"], await RedisStores.TakeAllAsync(store));
        await redis.CommandAsync("DEL", $"{options.KeyPrefix}:{{directory}}");
        await RedisStores.PutAsync(store, "b");
        Assert.Equal(1, (await store.ListQueuesAsync(null, 10)).Total);
    }
}
