using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The connection to Redis: one multiplexer, the scripts of the current incarnation, and the subscriptions. The multiplexer reconnects,
/// finds the current master and renews subscriptions by itself. No call blocks a thread.
/// </summary>
internal sealed class RedisConnection(RedisStoreOptions options, ILogger logger) : IAsyncDisposable
{
    /// <summary>A batch of 100,000 messages keeps a slow Redis busy for seconds.</summary>
    private static readonly TimeSpan TimeoutPerArgument = TimeSpan.FromMicroseconds(100);

    private readonly RedisAddress _address = RedisAddress.Read(options);
    private readonly SemaphoreSlim _incarnating = new(1, 1);
    private readonly ConcurrentDictionary<string, Action<byte[]>> _handlers = new(StringComparer.Ordinal);
    private ConnectionMultiplexer? _multiplexer;
    private IDatabase _database = null!;
    private volatile RedisScripts? _scripts;
    private volatile bool _areRightsInDoubt;

    public RedisKeys Keys { get; } = new(options.KeyPrefix, RedisAddress.Read(options).Database);

    /// <summary>The servers' addresses, without user names and passwords. For logs; clients never get it.</summary>
    public string Address => _address.ToString();

    public bool IsCluster { get; private set; }

    /// <summary>Called when the subscription connection broke or came back; notifications may have been missed.</summary>
    public Action? SubscriptionsBroke { get; set; }

    /// <summary>Connects, checks the servers and loads the scripts. A caller may repeat a failed call.</summary>
    /// <exception cref="StoreOpenException">Redis cannot be used; the message says why and what to do.</exception>
    /// <exception cref="StoreUnavailableException">Redis cannot be used now; trying again may help.</exception>
    public async Task OpenAsync()
    {
        await CloseAsync();
        try
        {
            _multiplexer = await ConnectAsync();
            _database = _multiplexer.GetDatabase();
            _multiplexer.ConnectionFailed += OnConnectionChanged;
            _multiplexer.ConnectionRestored += OnConnectionChanged;
            await CheckServersAsync();
            if (await WhyNoRightsAsync() is { } missing)
            {
                throw new StoreOpenException($"Redis at {Address} {missing}.");
            }

            await IncarnateAsync(_scripts);
        }
        catch (Exception e) when (RedisFailure.Describe(e) is { } reason)
        {
            throw Unavailable(reason, e);
        }
    }

    /// <summary>Calls the handler with each packet of the channel, one after the other. The handler must return at once.</summary>
    /// <exception cref="StoreUnavailableException">Redis is out of reach or refuses.</exception>
    public async Task SubscribeAsync(string channel, Action<byte[]> handler)
    {
        _handlers[channel] = handler;
        try
        {
            var queue = await _multiplexer!.GetSubscriber().SubscribeAsync(Channel(channel)).WaitAsync(options.CommandTimeout);
            queue.OnMessage(message => handler(message.Message!));
        }
        catch (Exception e) when (RedisFailure.Describe(e) is { } reason)
        {
            throw Unavailable(reason, e);
        }
    }

    /// <summary>Subscribes to all channels again, for the case that Redis lost a subscription although the connection stands.</summary>
    public async Task ResubscribeAsync()
    {
        foreach (var (channel, handler) in _handlers)
        {
            try
            {
                await _multiplexer!.GetSubscriber().UnsubscribeAsync(Channel(channel)).WaitAsync(options.CommandTimeout);
            }
            catch (Exception e) when (RedisFailure.Describe(e) is { } reason)
            {
                throw Unavailable(reason, e);
            }

            await SubscribeAsync(channel, handler);
        }
    }

    /// <summary>Sends a packet to all current subscribers of the channel.</summary>
    public async Task PublishAsync(string channel, byte[] packet) =>
        _ = await DoAsync(database => database.PublishAsync(Channel(channel), packet));

    /// <summary>Runs a script of the current incarnation; loads the scripts first if this Redis does not have them.</summary>
    /// <exception cref="StoreUnavailableException">Redis is out of reach or refuses.</exception>
    public async ValueTask<RedisValue[]> RunAsync(RedisScript script, RedisKey[] keys, RedisValue[] arguments)
    {
        const int AttemptsMax = 3;
        for (var attempt = 1; ; attempt++)
        {
            var scripts = _scripts ?? throw Unavailable("is not connected yet");
            try
            {
                var result = await _database.ScriptEvaluateAsync(scripts.HashOf(script), keys, arguments)
                    .WaitAsync(options.CommandTimeout + (arguments.Length * TimeoutPerArgument));
                return result.IsNull ? [] : (RedisValue[])result!;
            }
            catch (RedisServerException e) when (attempt < AttemptsMax && e.Kind == RedisErrorKind.NoScript)
            {
                await IncarnateAsync(scripts);
            }
            catch (Exception e) when (RedisFailure.Describe(e) is { } reason)
            {
                _areRightsInDoubt |= RedisFailure.IsMissingRight(e);
                throw Unavailable(reason, e);
            }
        }
    }

    /// <summary>Runs one plain command.</summary>
    /// <exception cref="StoreUnavailableException">Redis is out of reach or refuses.</exception>
    public async ValueTask<T> DoAsync<T>(Func<IDatabase, Task<T>> command)
    {
        try
        {
            return await command(_database).WaitAsync(options.CommandTimeout);
        }
        catch (Exception e) when (RedisFailure.Describe(e) is { } reason)
        {
            _areRightsInDoubt |= RedisFailure.IsMissingRight(e);
            throw Unavailable(reason, e);
        }
    }

    /// <summary>Checks the user's rights if Redis has refused a command for lack of them since the last check.</summary>
    /// <exception cref="StoreUnavailableException">A right is missing; the message names it.</exception>
    public async Task CheckRightsAsync()
    {
        if (_areRightsInDoubt)
        {
            try
            {
                _areRightsInDoubt = await WhyNoRightsAsync() is { } missing ? throw Unavailable(missing) : false;
            }
            catch (Exception e) when (RedisFailure.Describe(e) is { } reason)
            {
                throw Unavailable(reason, e);
            }
        }
    }

    /// <summary>The sentence of a failure for the operator: with the address, which clients must not see.</summary>
    public string Located(StoreUnavailableException failure) => RedisFailure.Located(failure, Address);

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _incarnating.Dispose();
    }

    private async Task CloseAsync()
    {
        _handlers.Clear();
        if (_multiplexer is { } multiplexer)
        {
            _multiplexer = null;
            await multiplexer.CloseAsync(allowCommandsToComplete: false);
            await multiplexer.DisposeAsync();
        }
    }

    /// <exception cref="StoreOpenException">No connection came about, and waiting will not help.</exception>
    /// <exception cref="StoreUnavailableException">No connection came about now.</exception>
    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        ConnectionMultiplexer? multiplexer = null;
        try
        {
            multiplexer = await ConnectionMultiplexer.ConnectAsync(_address.Configuration(Keys.Configuration));
            if (multiplexer.GetEndPoints().Any(endPoint => multiplexer.GetServer(endPoint).IsConnected))
            {
                return multiplexer;
            }
        }
        catch (RedisConnectionException)
        {
            // The probe finds out why.
        }

        multiplexer?.Dispose();
        throw await WhyNotAsync("answers, but not in time");
    }

    /// <summary>Waits for as many replicas as the options say, on the connection of the write before it.</summary>
    public async ValueTask ReplicatedAsync()
    {
        if (options.WaitForReplicas == 0)
        {
            return;
        }

        var patience = (long)options.CommandTimeout.TotalMilliseconds / 2;
        var replicas = (long)await DoAsync(database => database.ExecuteAsync("WAIT", options.WaitForReplicas, patience));
        if (replicas < options.WaitForReplicas)
        {
            throw new StoreUnavailableException(
                $"Only {replicas} of {options.WaitForReplicas} replicas of Redis confirmed the message in time. "
                + "It is stored, but on fewer replicas than --redis-wait requires.");
        }
    }

    /// <exception cref="StoreOpenException">A server is too old, none takes writes, or an option does not fit.</exception>
    private async Task CheckServersAsync()
    {
        var servers = await RedisServers.AskAsync(_multiplexer!, options.CommandTimeout);
        if (servers is { Masters.Count: 0, AllConnected: true })
        {
            throw await WhyNotAsync(RedisServers.NoMaster, mayRecover: false);
        }

        if (servers.WhyNot(options) is { } reason)
        {
            throw new StoreOpenException($"Redis at {Address} {reason}.");
        }

        if (Keys.Database > 0)
        {
            // The client library selects a database with the first command on it and does not report what Redis says to that.
            await CheckDatabaseAsync();
        }

        IsCluster = servers.Masters.Exists(static master => master.Server.ServerType == ServerType.Cluster);
    }

    /// <exception cref="StoreOpenException">Redis has no such database.</exception>
    private async Task CheckDatabaseAsync()
    {
        var probed = await ProbeAsync();
        if (probed is { Reason: { } reason, MayRecover: false })
        {
            throw new StoreOpenException($"Redis at {Address} {reason}.");
        }
    }

    private async Task<string?> WhyNoRightsAsync()
    {
        var arguments = RedisRights.Arguments(Keys, options);
        var script = RedisScripts.Read("CheckRights");
        foreach (var master in (await RedisServers.AskAsync(_multiplexer!, options.CommandTimeout)).Masters)
        {
            var reply = await master.Server.ExecuteAsync("EVAL", [script, 0, .. arguments]).WaitAsync(options.CommandTimeout);
            if (RedisRights.WhyNot((RedisValue[])reply!, Keys) is { } reason)
            {
                return reason;
            }
        }

        return null;
    }

    private Task<(string? Reason, bool MayRecover)> ProbeAsync() =>
        RedisProbe.WhyNotAsync(_address.Configuration(Keys.Configuration), _address.Certificates, options.CommandTimeout);

    /// <summary>The reason that a probe of the first server finds; the given reason if it finds nothing.</summary>
    private async Task<Exception> WhyNotAsync(string reason, bool mayRecover = true)
    {
        var probed = await ProbeAsync();
        (reason, mayRecover) = probed.Reason is { } found ? (found, probed.MayRecover) : (reason, mayRecover);
        return mayRecover ? Unavailable(reason) : new StoreOpenException($"Redis at {Address} {reason}.");
    }

    /// <summary>Asks every master what it is, agrees with all nodes on the incarnation, loads the scripts.</summary>
    private async Task IncarnateAsync(RedisScripts? failed)
    {
        await _incarnating.WaitAsync();
        try
        {
            if (_scripts != failed)
            {
                return;
            }

            var masters = (await RedisServers.AskAsync(_multiplexer!, options.CommandTimeout)).Masters;
            if (masters.Count == 0)
            {
                throw Unavailable(RedisServers.NoMaster);
            }

            var lossless = masters.TrueForAll(static master => master.IsLossless) ? 1 : 0;
            var unpromoted = masters.TrueForAll(static master => !master.WasPromoted) ? 1 : 0;
            RedisValue[] arguments =
                [Receipt.New().ToString(), lossless, unpromoted, .. masters.Select(static master => (RedisValue)master.RunId)];
            var name = await DoAsync(database => database.ScriptEvaluateAsync(
                RedisScripts.Read("Incarnate"), [Keys.Incarnation], arguments, CommandFlags.NoScriptCache));
            var scripts = new RedisScripts(
                (string)name!, Keys.Notifications, IsCluster ? null : (string)Keys.Subscriptions!);
            await Task.WhenAll(masters.SelectMany(master => scripts.Texts.Select(text => master.Server.ScriptLoadAsync(text))))
                .WaitAsync(options.CommandTimeout);
            if (_scripts is { } before && before.Incarnation != scripts.Incarnation)
            {
                Log.AnotherIncarnation(logger, Address);
            }

            _scripts = scripts;
        }
        catch (Exception e) when (RedisFailure.Describe(e) is { } reason)
        {
            throw Unavailable(reason, e);
        }
        finally
        {
            _incarnating.Release();
        }
    }

    private void OnConnectionChanged(object? sender, ConnectionFailedEventArgs change)
    {
        if (change.ConnectionType == ConnectionType.Subscription)
        {
            SubscriptionsBroke?.Invoke();
        }
    }

    private static StoreUnavailableException Unavailable(string reason, Exception? inner = null) =>
        new($"Redis {reason}.", inner) { IsOfOneQueue = RedisFailure.IsOfOneKey(inner) };

    private static RedisChannel Channel(string name) => RedisChannel.Literal(name);
}
