using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Installations that share a Redis by database number or by prefix do not see each other's queues and notifications.</summary>
public sealed class RedisSeparationTests(SharedRedis redis)
{
    private static readonly QueueName Queue = RedisStores.Queue;

    public static TheoryData<string, bool> Separations =>
        new MatrixTheoryData<string, bool>(["databases", "URLs with databases", "prefixes"], [false, true]);

    [Theory]
    [MemberData(nameof(Separations))]
    public async Task A_change_of_settings_and_a_deletion_stay_in_their_installation(string separation, bool isReversed)
    {
        var options = await redis.OptionsAsync();
        await using var stores = new RedisStores(options);
        var listener = new RecordingListener();
        var first = await stores.OpenAsync(isReversed ? null : listener, changed => Separate(changed, separation, 1));
        var second = await stores.OpenAsync(isReversed ? listener : null, changed => Separate(changed, separation, 2));
        var (deaf, acting) = isReversed ? (second, first) : (first, second);
        await RedisStores.PutAsync(deaf, "stays");
        await listener.WaitForAsync<BecameReady>(Queue);
        listener.Clear();

        await acting.UpdateSettingsAsync(Queue, new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        await RedisStores.PutAsync(acting, "goes");
        await acting.DeleteQueueAsync(Queue);
        await deaf.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 9 });
        var changed = await listener.WaitForAsync<SettingsChanged>(Queue);

        Assert.Equal(9, changed.Settings.MaxAttempts);
        Assert.Null(changed.Settings.Policy);
        Assert.DoesNotContain(listener.News, static news => news is Deleted);
        Assert.Equal(["stays"], await RedisStores.TakeAllAsync(deaf));
        Assert.Single(first.LivingNodes);
    }

    [Fact]
    public async Task Nodes_of_one_database_and_prefix_do_hear_each_other()
    {
        var options = await redis.OptionsAsync();
        await using var stores = new RedisStores(options);
        var listener = new RecordingListener();
        await stores.OpenAsync(listener, changed => Separate(changed, "databases", 3));
        var other = await stores.OpenAsync(change: changed => Separate(changed, "URLs with databases", 3));

        await RedisStores.PutAsync(other, "a");

        await listener.WaitForAsync<BecameReady>(Queue);
    }

    private static RedisStoreOptions Separate(RedisStoreOptions options, string separation, int number) => separation switch
    {
        "databases" => options with { Configuration = $"{options.Configuration},defaultDatabase={number}" },
        "prefixes" => options with { KeyPrefix = $"{options.KeyPrefix}x{number}" },
        _ => options with { Configuration = $"redis://{options.Configuration}/{number}" },
    };
}
