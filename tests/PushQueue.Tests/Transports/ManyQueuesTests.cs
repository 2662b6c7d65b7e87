using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.Transports;

public sealed class ManyQueuesTests : ManyQueuesContract
{
    private protected override Task<PushQueueServer> StartAsync(Action<PushQueueOptions>? configure) =>
        PushQueueServer.StartAsync(configure);
}

public sealed class ManyQueuesOverRedisTests(SharedRedis redis) : ManyQueuesContract
{
    private protected override async Task<PushQueueServer> StartAsync(Action<PushQueueOptions>? configure)
    {
        var store = await redis.OptionsAsync();
        return await PushQueueServer.StartAsync(options =>
        {
            options.Storage.Redis = store.Configuration;
            options.Storage.RedisKeyPrefix = store.KeyPrefix;
            configure?.Invoke(options);
        });
    }
}
