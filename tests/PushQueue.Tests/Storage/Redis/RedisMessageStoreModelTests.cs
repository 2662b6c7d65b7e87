using PushQueue.Queues;
using PushQueue.Storage.Redis;
using PushQueue.Tests.Contracts;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Redis;

/// <summary>Random sequences on a real Redis; each has key names of its own.</summary>
public sealed class RedisMessageStoreModelTests(SharedRedis redis) : MessageStoreModelTests, IAsyncLifetime
{
    private readonly VerifyingLogger _log = new();
    private RedisStoreOptions _options = null!;
    private int _runs;

    /// <summary>Each step is several round trips, so a third of what the embedded store plays in the same time.</summary>
    private protected override int Sequences => 100;

    public async ValueTask InitializeAsync() => _options = await redis.OptionsAsync();

    public ValueTask DisposeAsync()
    {
        _log.Verify();
        return ValueTask.CompletedTask;
    }

    private protected override (Func<TestTimeProvider, IMessageStore> Create, IDisposable Data) NewData()
    {
        var options = _options with { KeyPrefix = $"{_options.KeyPrefix}.{++_runs}" };
        return (time => new RedisMessageStore(options, time, _log), new Nothing());
    }

    /// <summary>The keys go with the server.</summary>
    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
