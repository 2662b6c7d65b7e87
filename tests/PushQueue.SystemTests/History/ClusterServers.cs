using PushQueue.SystemTests.Cluster;
using PushQueue.SystemTests.History.Judging;
using PushQueue.Tests.Support;

namespace PushQueue.SystemTests.History;

/// <summary>Nodes over one Redis that keeps everything, and a network between them that can be cut; all of the run's own.</summary>
internal sealed class ClusterServers : IServersUnderTest, IAsyncDisposable
{
    public static readonly DisturbanceKind[] Faults =
    [
        DisturbanceKind.Kill, DisturbanceKind.Stop, DisturbanceKind.Freeze, DisturbanceKind.KillRedis,
        DisturbanceKind.FreezeRedis, DisturbanceKind.CutRedis,
    ];

    private const int SignalStop = 19;
    private const int SignalContinue = 18;

    // A node that sleeps is taken for dead after 4 s; what it held is given out again within one more.
    private static readonly TimeSpan NodeSleep = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan NodeBeats = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RedisSleep = TimeSpan.FromSeconds(10);

    private readonly TcpProxy _network;
    private readonly ClusterFixture _cluster;

    private ClusterServers(TcpProxy network, ClusterFixture cluster)
    {
        _network = network;
        _cluster = cluster;
    }

    public IReadOnlyList<Uri> Addresses => _cluster.Addresses;

    public static async Task<ClusterServers> StartAsync(int nodes)
    {
        var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        var network = new TcpProxy(redis.Port);
        try
        {
            return new ClusterServers(network, await ClusterFixture.StartAsync(redis, network.Address, nodes));
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public async Task DisturbAsync(DisturbanceKind kind, int number, Action<HistoryEvent> note)
    {
        if (kind is DisturbanceKind.Kill or DisturbanceKind.Stop)
        {
            await _cluster.RestartNodeAsync(number, kind == DisturbanceKind.Kill, () =>
            {
                if (kind == DisturbanceKind.Kill)
                {
                    note(new Killed(number));
                }
            });
            return;
        }

        note(new OutageBegun());
        await (kind switch
        {
            DisturbanceKind.Freeze => FreezeNodeAsync(number),
            DisturbanceKind.KillRedis => KillRedisAsync(),
            DisturbanceKind.FreezeRedis => FreezeRedisAsync(),
            DisturbanceKind.CutRedis => CutRedisAsync(),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        });

        // Without help: nobody does anything to make them ready.
        await Eventually.TrueAsync(AllAreReadyAsync, "all nodes are ready again");
        note(new OutageOver());
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _network.DisposeAsync();
    }

    private async Task FreezeNodeAsync(int number)
    {
        _cluster.Nodes[number].Signal(SignalStop);
        await Task.Delay(NodeSleep, TimeProvider.System);
        _cluster.Nodes[number].Signal(SignalContinue);

        // It learns at its next beat that it was taken for dead; until then it goes on giving out what it held.
        await Task.Delay(NodeBeats, TimeProvider.System);
    }

    private async Task KillRedisAsync()
    {
        await _cluster.Redis.KillAsync();
        await _cluster.Redis.StartAgainAsync();
    }

    private async Task FreezeRedisAsync()
    {
        _cluster.Redis.Freeze();
        await Task.Delay(RedisSleep, TimeProvider.System);
        _cluster.Redis.Thaw();
    }

    private Task CutRedisAsync()
    {
        _network.Cut();
        return Task.CompletedTask;
    }

    private async Task<bool> AllAreReadyAsync()
    {
        foreach (var node in _cluster.Nodes)
        {
            using var answer = await node.Client.GetAsync("/readyz");
            if (!answer.IsSuccessStatusCode)
            {
                return false;
            }
        }

        return true;
    }
}
