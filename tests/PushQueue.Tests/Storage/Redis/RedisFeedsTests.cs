using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>A queue subscription is stored, and Redis fails before the follow-up work.</summary>
public sealed class RedisFeedsTests(SharedRedis redis) : IAsyncLifetime
{
    private static readonly QueueName Orders = QueueName.Parse("orders");
    private static readonly QueueName Billing = QueueName.Parse("billing");

    private RedisStores _stores = null!;

    public async ValueTask InitializeAsync() => _stores = new RedisStores(await redis.OptionsAsync());

    public async ValueTask DisposeAsync() => await _stores.DisposeAsync();

    [Fact]
    public async Task A_stored_subscription_is_answered_with_success_and_the_history_of_its_source_begins_when_that_is_found()
    {
        var listener = new RecordingListener();
        var store = await _stores.OpenAsync(
            listener, static options => options with { HeartbeatInterval = TimeSpan.FromMilliseconds(100) });
        await RedisStores.PutAsync(store, "one", Orders);
        var directory = $"{_stores.Options.KeyPrefix}:{{directory}}";
        Assert.Equal("+OK\r\n", await redis.CommandAsync("RENAME", directory, $"{directory}:away"));
        Assert.Equal("+OK\r\n", await redis.CommandAsync("SET", directory, "of another program"));

        var patch = new QueueSettingsPatch { Subscriptions = QueueSubscriptions.Of([new QueueSubscription("ord*")]) };
        var changed = await store.UpdateSettingsAsync(Billing, patch).WithTimeout();
        var feedsAtOnce = listener.News.Any(static news => news is Feeding);
        Assert.Equal("+OK\r\n", await redis.CommandAsync("RENAME", $"{directory}:away", directory));

        Assert.True(changed.Ok);
        Assert.False(feedsAtOnce);
        await listener.WaitForAsync<Feeding>(Orders);
        Assert.Equal([Billing], await store.SubscribersAsync(Orders).WithTimeout());
    }
}
