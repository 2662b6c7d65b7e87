using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>The masters among the connected servers, as they describe themselves.</summary>
internal sealed record RedisServers(List<RedisMaster> Masters, bool AllConnected)
{
    public const string NoMaster = "has no master among its servers; it takes no writes. Give the address of the master";

    /// <summary>
    /// The first version that forgets its cached scripts at every restart, which reveals the restart (see <see cref="RedisScripts"/>).
    /// </summary>
    private static readonly Version OldestVersion = new(7, 0);

    public static async Task<RedisServers> AskAsync(ConnectionMultiplexer multiplexer, TimeSpan timeout)
    {
        var masters = new List<RedisMaster>();
        var allConnected = true;
        foreach (var endPoint in multiplexer.GetEndPoints())
        {
            var server = multiplexer.GetServer(endPoint);
            if (!server.IsConnected)
            {
                allConnected = false;
                continue;
            }

            var info = (await server.InfoAsync().WaitAsync(timeout))
                .SelectMany(static section => section)
                .GroupBy(static pair => pair.Key, StringComparer.Ordinal)
                .ToDictionary(static group => group.Key, static group => group.First().Value, StringComparer.Ordinal);
            if (info.GetValueOrDefault("role") == "master")
            {
                masters.Add(new RedisMaster(server, info, await IsLosslessAsync(server, info, timeout)));
            }
        }

        return new RedisServers(masters, allConnected);
    }

    /// <summary>Why these servers cannot be used, however long one waits; null if they can be, or if that is not known yet.</summary>
    public string? WhyNot(RedisStoreOptions options)
    {
        if (Masters.Find(static master => master.Server.Version < OldestVersion) is { } old)
        {
            return $"is version {old.Server.Version}; PushQueue needs {OldestVersion} or newer, which can distinguish a restart from a "
                + "pause";
        }

        return options.WaitForReplicas > 0 && Masters.Exists(static master => master.Server.ServerType == ServerType.Cluster)
            ? "is a Redis Cluster, where --redis-wait does not work; leave out --redis-wait"
            : null;
    }

    /// <summary>Whether the server would keep every write if its process ended now. An unknown answer counts as no.</summary>
    private static async Task<bool> IsLosslessAsync(IServer server, Dictionary<string, string> info, TimeSpan timeout)
    {
        if (info.GetValueOrDefault("aof_enabled") != "1")
        {
            return false;
        }

        try
        {
            var policy = await server.ConfigGetAsync("appendfsync").WaitAsync(timeout);
            return policy.Any(static pair => pair is { Key: "appendfsync", Value: "always" });
        }
        catch (RedisServerException)
        {
            // The user may not read the configuration, so nothing is proved.
            return false;
        }
    }
}
