using PushQueue.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(PushQueue.Tests.Storage.Redis.SharedRedis))]

namespace PushQueue.Tests.Storage.Redis;

/// <summary>One Redis for all tests that need nothing special of it; each test has key names of its own.</summary>
public sealed class SharedRedis : IAsyncLifetime
{
    private static int _prefixes;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private RedisServer? _server;

    /// <summary>Its port; once somebody has asked for <see cref="OptionsAsync"/>.</summary>
    internal int Port => _server!.Port;

    /// <summary>Options of a store whose keys nobody else uses; starts Redis where it is the first.</summary>
    internal async Task<RedisStoreOptions> OptionsAsync()
    {
        await _starting.WaitAsync();
        try
        {
            _server ??= await RedisServer.StartAsync();
        }
        finally
        {
            _starting.Release();
        }

        return new RedisStoreOptions { Configuration = _server.Address, KeyPrefix = $"pq{Interlocked.Increment(ref _prefixes)}" };
    }

    /// <summary>Runs one command on the server of <see cref="OptionsAsync"/>.</summary>
    internal Task<string> CommandAsync(params string[] words) => _server!.CommandAsync(words);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _starting.Dispose();
    }
}
