using System.Globalization;
using Xunit;

namespace PushQueue.Tests.Support;

/// <summary>A Redis Cluster of three masters on this machine; gone with the tests that use it.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private static readonly string[] Slots = ["0 5460", "5461 10922", "10923 16383"];

    private readonly SemaphoreSlim _starting = new(1, 1);
    private readonly List<RedisServer> _masters = [];

    /// <summary>One address; clients learn the others from it. Starts the cluster at the first call.</summary>
    public async Task<string> AddressAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_masters.Count == 0)
            {
                await StartAsync();
            }
        }
        finally
        {
            _starting.Release();
        }

        return _masters[0].Address;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var master in _masters)
        {
            await master.DisposeAsync();
        }

        _starting.Dispose();
    }

    /// <summary>How many keys each master holds.</summary>
    internal async Task<long[]> KeysAsync()
    {
        var counts = new List<long>();
        foreach (var master in _masters)
        {
            counts.Add(long.Parse((await master.CommandAsync("DBSIZE")).Trim(':', '\r', '\n'), CultureInfo.InvariantCulture));
        }

        return [.. counts];
    }

    /// <summary>Runs one command at the master that has the slot of that hash tag.</summary>
    internal async Task<string> CommandAsync(string tag, params string[] words) =>
        await (await MasterOfAsync(tag)).Master.CommandAsync(words);

    /// <summary>Begins to move the slot of that hash tag to another master. Gives what ends that, with the slot where it was.</summary>
    internal async Task<Func<Task>> MoveAsync(string tag)
    {
        var (master, slot) = await MasterOfAsync(tag);
        var target = _masters.First(other => other != master);
        Assert.StartsWith(
            "+OK",
            await target.CommandAsync("CLUSTER", "SETSLOT", slot, "IMPORTING", await IdAsync(master)),
            StringComparison.Ordinal);
        Assert.StartsWith(
            "+OK",
            await master.CommandAsync("CLUSTER", "SETSLOT", slot, "MIGRATING", await IdAsync(target)),
            StringComparison.Ordinal);
        return async () =>
        {
            Assert.StartsWith("+OK", await master.CommandAsync("CLUSTER", "SETSLOT", slot, "STABLE"), StringComparison.Ordinal);
            Assert.StartsWith("+OK", await target.CommandAsync("CLUSTER", "SETSLOT", slot, "STABLE"), StringComparison.Ordinal);
        };
    }

    private static async Task<string> IdAsync(RedisServer master) => (await master.CommandAsync("CLUSTER", "MYID")).Split("\r\n")[1];

    private async Task<(RedisServer Master, string Slot)> MasterOfAsync(string tag)
    {
        var slot = (await _masters[0].CommandAsync("CLUSTER", "KEYSLOT", tag)).Trim(':', '\r', '\n');
        var number = int.Parse(slot, CultureInfo.InvariantCulture);
        var index = Array.FindIndex(Slots, range => number <= int.Parse(range.Split(' ')[1], CultureInfo.InvariantCulture));
        return (_masters[index], slot);
    }

    private async Task StartAsync()
    {
        var buses = new List<int>();
        foreach (var slots in Slots)
        {
            var bus = RedisServer.FreePort();
            var master = await RedisServer.StartAsync(
                "--cluster-enabled", "yes", "--cluster-port", bus.ToString(CultureInfo.InvariantCulture), "--cluster-node-timeout", "5000");
            _masters.Add(master);
            buses.Add(bus);
            await master.CommandAsync(["CLUSTER", "ADDSLOTSRANGE", .. slots.Split(' ')]);
        }

        for (var i = 1; i < _masters.Count; i++)
        {
            await _masters[0].CommandAsync(
                "CLUSTER", "MEET", "127.0.0.1", _masters[i]
                    .Port.ToString(CultureInfo.InvariantCulture), buses[i]
                    .ToString(CultureInfo.InvariantCulture));
        }

        foreach (var master in _masters)
        {
            await Eventually.TrueAsync(
                async () => await master.CommandAsync("CLUSTER", "INFO") is var info
                    && info.Contains("cluster_state:ok", StringComparison.Ordinal)
                    && info.Contains("cluster_known_nodes:3", StringComparison.Ordinal),
                $"the cluster is complete at {master.Address}");
        }
    }
}
