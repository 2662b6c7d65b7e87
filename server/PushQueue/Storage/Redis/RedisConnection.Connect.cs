using System.Globalization;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>How a connection is made, and what is said where it cannot be made or used.</summary>
internal sealed partial class RedisConnection
{
    private const string NoMaster = "has no master among its servers; it takes no writes. Give the address of the master";

    /// <summary>The first version that forgets its cached scripts at every restart, by which a restart is noticed (see <see cref="RedisScripts"/>).</summary>
    private static readonly Version OldestVersion = new(7, 0);

    /// <summary>What Redis refuses with until somebody changes its settings, its data or the address.</summary>
    private static readonly string[] LastingRefusals = ["NOAUTH", "WRONGPASS", "NOPERM", "WRONGTYPE", "READONLY", "unknown command"];

    /// <summary>Whether what stands in the way may be gone in a while.</summary>
    public static bool MayMend(StoreUnavailableException exception) =>
        exception.InnerException is not RedisServerException { Message: var refusal }
        || !Array.Exists(LastingRefusals, lasting => refusal.Contains(lasting, StringComparison.Ordinal));

    /// <exception cref="StoreOpenException">No connection came about, and none will by itself.</exception>
    /// <exception cref="StoreUnavailableException">None came about now.</exception>
    private async Task<ConnectionMultiplexer> ConnectAsync(string purpose)
    {
        var configuration = ConfigurationOptions.Parse(options.Configuration);
        configuration.ClientName = $"pushqueue-{purpose}";

        // A server that goes away comes back by itself.
        configuration.AbortOnConnectFail = false;
        configuration.AllowAdmin = true;
        configuration.KeepAlive = 5;
        configuration.ConfigCheckSeconds = 10;
        configuration.ConnectRetry = 1;
        configuration.ConnectTimeout = Math.Min(configuration.ConnectTimeout, 3000);
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
        if (multiplexer.GetEndPoints().Any(endPoint => multiplexer.GetServer(endPoint).IsConnected))
        {
            return multiplexer;
        }

        multiplexer.Dispose();
        var (reason, mayMend) = await RedisProbe.WhyNotAsync(configuration, options.CommandTimeout).ConfigureAwait(false);
        throw mayMend ? new StoreUnavailableException(Sentence(reason)) : new StoreOpenException(Sentence(reason));
    }

    /// <exception cref="StoreOpenException">A server is too old, or none takes writes.</exception>
    private async Task CheckServersAsync()
    {
        var masters = await MastersAsync().ConfigureAwait(false);
        if (masters.Count == 0 && Array.TrueForAll(_commands!.GetEndPoints(), endPoint => _commands.GetServer(endPoint).IsConnected))
        {
            throw new StoreOpenException(Sentence(NoMaster));
        }

        foreach (var master in masters)
        {
            if (master.Server.Version < OldestVersion)
            {
                throw new StoreOpenException(Sentence(
                    $"is version {master.Server.Version}; PushQueue needs {OldestVersion} or newer, which tells a restart from a pause"));
            }

            IsCluster |= master.Server.ServerType == ServerType.Cluster;
        }

        if (IsCluster && options.WaitForReplicas > 0)
        {
            throw new StoreOpenException(Sentence("is a Redis Cluster, which cannot be told to wait for replicas; leave out --redis-wait"));
        }
    }

    /// <summary>The sentence for what Redis or the way to it did; null for exceptions that are none of Redis's.</summary>
    private string? Explain(Exception exception) => exception switch
    {
        TimeoutException => Sentence("does not answer"),
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => Sentence("refuses the password"),
        RedisConnectionException or ObjectDisposedException => Sentence("cannot be reached"),
        RedisServerException e => Sentence(Refusal(e.Message)),
        RedisException => Sentence("takes no writes at the moment"),
        RedisCommandException => Sentence("takes no writes at the moment"),
        _ => null,
    };

    /// <summary>Redis serves, but not this key: it holds something else, or what a script cannot work with.</summary>
    private static bool IsOfOneKey(Exception exception) => exception is RedisServerException e
        && (e.Message.Contains("WRONGTYPE", StringComparison.Ordinal) || e.Message.Contains("user_script", StringComparison.Ordinal))
        && !e.Message.Contains("OOM", StringComparison.Ordinal)
        && !e.Message.Contains("READONLY", StringComparison.Ordinal);

    private static string Refusal(string error)
    {
        if (error.Contains("OOM", StringComparison.Ordinal))
        {
            return "is out of memory (maxmemory); nothing was stored. Take messages, or give it more memory";
        }

        if (error.Contains("WRONGTYPE", StringComparison.Ordinal))
        {
            return "holds a key of another program where PushQueue keeps a queue; remove it, or give PushQueue a Redis of its own";
        }

        if (error.Contains("READONLY", StringComparison.Ordinal))
        {
            return "is a read-only replica; give the address of the master";
        }

        if (error.Contains("NOAUTH", StringComparison.Ordinal) || error.Contains("WRONGPASS", StringComparison.Ordinal))
        {
            return "refuses the password";
        }

        if (error.Contains("LOADING", StringComparison.Ordinal))
        {
            return "is still reading its data";
        }

        var shown = error.Length <= 200 ? error : error[..200];
        return string.Create(CultureInfo.InvariantCulture, $"refuses: {shown.ReplaceLineEndings(" ").TrimEnd('.')}");
    }
}
