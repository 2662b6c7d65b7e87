using PushQueue.SystemTests.Support;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.SystemTests.Cluster;

/// <summary>A Redis of its own and nodes over it, real processes all of them; gone with it.</summary>
internal sealed class ClusterFixture : IAsyncDisposable
{
    private readonly TemporaryDirectory _data = new();
    private readonly List<ServerProcess> _nodes = [];
    private readonly string _redisAddress;
    private readonly string[] _options;

    private ClusterFixture(RedisServer redis, string redisAddress, string[] options)
    {
        _options = options;
        Redis = redis;
        _redisAddress = redisAddress;
    }

    public RedisServer Redis { get; }

    public IReadOnlyList<ServerProcess> Nodes => _nodes;

    public Uri[] Addresses => [.. _nodes.Select(node => node.Address)];

    /// <summary>Redis writes everything to its disk before it answers, so that a restart of it may lose nothing.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="options">Options of each node, in addition to the address of Redis.</param>
    public static async Task<ClusterFixture> StartAsync(int nodes = 2, params string[] options)
    {
        var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        return await StartAsync(redis, redis.Address, nodes, options);
    }

    /// <param name="redis">Disposed with the fixture.</param>
    /// <param name="redisAddress">How the nodes reach it.</param>
    /// <param name="nodes">How many.</param>
    /// <param name="options">Of each node.</param>
    public static async Task<ClusterFixture> StartAsync(RedisServer redis, string redisAddress, int nodes = 2, params string[] options)
    {
        var cluster = new ClusterFixture(redis, redisAddress, options);
        try
        {
            cluster._nodes.AddRange(await Task.WhenAll(Enumerable.Range(0, nodes).Select(_ => cluster.StartNodeAsync())));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task<ServerProcess> AddNodeAsync(string? redisAddress = null)
    {
        var node = await StartNodeAsync(redisAddress);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Ends a node, by kill -9 or in the orderly way, and starts another in its place.</summary>
    /// <param name="number">Its place among the nodes.</param>
    /// <param name="kill">Whether by kill -9.</param>
    /// <param name="ended">Called between the two.</param>
    public async Task RestartNodeAsync(int number, bool kill, Action ended)
    {
        var node = _nodes[number];
        if (kill)
        {
            await node.KillAsync();
        }
        else
        {
            Assert.Equal(0, await node.StopAsync());
        }

        ended();
        _nodes[number] = await StartNodeAsync();
        await node.DisposeAsync();
    }

    public async Task SetAsync(string queue, string settings)
    {
        using var answer = await _nodes[0].Client.PatchAsync($"/q/{queue}/settings", new StringContent(settings));
        _ = answer.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();

            // Shown where the test has failed.
            TestContext.Current.TestOutputHelper?.WriteLine($"{node.Address} wrote: {node.Errors}");
        }

        await Redis.DisposeAsync();
        _data.Dispose();
    }

    private Task<ServerProcess> StartNodeAsync(string? redisAddress = null) =>
        ServerProcess.StartAsync(_data.Path, ["--redis", redisAddress ?? _redisAddress, .. _options]);
}
