using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Contracts;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>The Redis store keeps the contract, on a real Redis.</summary>
public sealed class RedisMessageStoreTests(SharedRedis redis) : MessageStoreContract
{
    private RedisStoreOptions? _options;

    private protected override async Task<IMessageStore> CreateStoreAsync(TestTimeProvider time, IQueueChangeListener listener)
    {
        _options ??= await redis.OptionsAsync();
        var store = new RedisMessageStore(_options, time, Log);
        await store.OpenAsync(listener, CancellationToken.None);
        return store;
    }
}
