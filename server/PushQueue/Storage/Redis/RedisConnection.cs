using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The way to Redis: two multiplexers (commands; bells), the scripts of the present incarnation, and the sentences for what stands in the way.
/// All of StackExchange.Redis that the store touches is here and in <see cref="RedisBells"/>. Nothing here blocks: no synchronous call is made.
/// Versions 1.2.6 and 2.13 are served alike.
/// </summary>
internal sealed partial class RedisConnection(RedisStoreOptions options, ILogger logger) : IAsyncDisposable
{
    /// <summary>A batch of a hundred thousand messages keeps a slow Redis busy for seconds.</summary>
    private static readonly TimeSpan PerArgument = TimeSpan.FromMicroseconds(100);

    private readonly SemaphoreSlim _incarnating = new(1, 1);
    private readonly ConcurrentDictionary<string, Action<byte[]>> _handlers = new(StringComparer.Ordinal);
    private ConnectionMultiplexer? _commands;
    private ConnectionMultiplexer? _bells;
    private Task _closing = Task.CompletedTask;
    private IDatabase _database = null!;
    private volatile RedisScripts? _scripts;

    public RedisKeys Keys { get; } = new(options.KeyPrefix);

    /// <summary>Where Redis is, without passwords.</summary>
    public string Address { get; private set; } = RedisAddress.Shown(options.Configuration);

    /// <summary>Has a channel's packets handed over, by any thread, in no promised order; the handler only notes them down.</summary>
    /// <exception cref="StoreUnavailableException">Redis is out of reach or refuses.</exception>
    public async Task SubscribeAsync(string channel, Action<byte[]> handler)
    {
        _handlers[channel] = handler;
        try
        {
            await SubscribeAsync(_bells!, channel, handler).WaitAsync(options.CommandTimeout).ConfigureAwait(false);
        }
        catch (Exception e) when (Explain(e) is { } sentence)
        {
            throw new StoreUnavailableException(sentence, e);
        }
    }

    /// <summary>Sends a packet to whoever listens to the channel now; to how many is not known.</summary>
    public async Task PublishAsync(string channel, byte[] packet) =>
        _ = await DoAsync(database => database.PublishAsync(Channel(channel), packet)).ConfigureAwait(false);

    public bool IsCluster { get; private set; }

    /// <summary>Called when the connection of the bells broke or came back.</summary>
    public Action? BellsBroke { get; set; }

    /// <summary>Connects; may be called again where it failed.</summary>
    /// <exception cref="StoreOpenException">Redis cannot be used; the sentence says why and what to do.</exception>
    /// <exception cref="StoreUnavailableException">Redis cannot be used now.</exception>
    public async Task OpenAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        Use(await ConnectAsync("commands").ConfigureAwait(false));
        try
        {
            _bells = await ConnectBellsAsync().ConfigureAwait(false);
            await CheckServersAsync().ConfigureAwait(false);
            await IncarnateAsync(_scripts).ConfigureAwait(false);
        }
        catch (Exception e) when (Explain(e) is { } sentence)
        {
            throw new StoreUnavailableException(sentence, e);
        }
    }

    /// <summary>Runs a script of the present incarnation; loads the scripts where this Redis does not have them.</summary>
    /// <exception cref="StoreUnavailableException">Redis is out of reach or refuses.</exception>
    public async ValueTask<RedisValue[]> RunAsync(RedisScript script, RedisKey[] keys, RedisValue[] arguments)
    {
        const int AttemptsMax = 3;
        for (var attempt = 1; ; attempt++)
        {
            var scripts = _scripts ?? throw new StoreUnavailableException(Sentence("is not connected yet"));
            try
            {
                var result = await _database.ScriptEvaluateAsync(scripts.HashOf(script), keys, arguments)
                    .WaitAsync(options.CommandTimeout + (arguments.Length * PerArgument)).ConfigureAwait(false);
                return result.IsNull ? [] : (RedisValue[])result!;
            }
            catch (RedisServerException e) when (attempt < AttemptsMax && e.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
            {
                await IncarnateAsync(scripts).ConfigureAwait(false);
            }
            catch (Exception e) when (Explain(e) is { } sentence)
            {
                throw new StoreUnavailableException(sentence, e) { IsOfOneQueue = IsOfOneKey(e) };
            }
        }
    }

    /// <summary>Runs one plain command.</summary>
    /// <exception cref="StoreUnavailableException">Redis is out of reach or refuses.</exception>
    public async ValueTask<T> DoAsync<T>(Func<IDatabase, Task<T>> command)
    {
        try
        {
            return await command(_database).WaitAsync(options.CommandTimeout).ConfigureAwait(false);
        }
        catch (Exception e) when (Explain(e) is { } sentence)
        {
            throw new StoreUnavailableException(sentence, e) { IsOfOneQueue = IsOfOneKey(e) };
        }
    }

    /// <summary>Looks again which server is what, after a failure that another server may not have.</summary>
    public async Task ReconfigureAsync()
    {
        try
        {
            if (_commands is { } commands && _bells is { } bells)
            {
                await Task.WhenAll(commands.ConfigureAsync(), bells.ConfigureAsync()).WaitAsync(options.CommandTimeout).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (Explain(e) is { } sentence)
        {
            Log.StillAway(logger, sentence);
        }
    }

    /// <summary>
    /// Makes the connection of the commands anew. For a client library that should have come back by itself and has not: it may hold on to a server
    /// that is gone. Commands under way keep the old one until they are answered or given up. Where the new one cannot be made, the old one stays.
    /// </summary>
    public Task RenewCommandsAsync() => RenewAsync(async () =>
    {
        var old = _commands;
        Use(await ConnectAsync("commands").ConfigureAwait(false));
        return old;
    });

    /// <summary>As <see cref="RenewCommandsAsync"/>, for the bells with all their subscriptions, of which one may have been lost on the way.</summary>
    public Task RenewBellsAsync() => RenewAsync(async () =>
    {
        var old = _bells;
        _bells = await ConnectBellsAsync().ConfigureAwait(false);
        return old;
    });

    private async Task RenewAsync(Func<Task<ConnectionMultiplexer?>> replace)
    {
        try
        {
            var old = await replace().ConfigureAwait(false);
            _closing = Task.WhenAll(_closing, RetireAsync(old));
            Log.Renewed(logger, Address);
        }
        catch (Exception e) when (e is StoreOpenException or StoreUnavailableException)
        {
            Log.StillAway(logger, e.Message);
        }
        catch (Exception e) when (Explain(e) is { } sentence)
        {
            Log.StillAway(logger, sentence);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        _incarnating.Dispose();
    }

    private async Task CloseAsync()
    {
        _handlers.Clear();
        await _closing.ConfigureAwait(false);
        await CloseAsync(_commands).ConfigureAwait(false);
        await CloseAsync(_bells).ConfigureAwait(false);
        (_commands, _bells) = (null, null);
    }

    /// <summary>Closes what is not used any more, when the commands that are still under way there are answered or given up.</summary>
    private async Task RetireAsync(ConnectionMultiplexer? multiplexer)
    {
        try
        {
            await (multiplexer?.CloseAsync(allowCommandsToComplete: true) ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A border: nobody waits for this, and what would break is on its way out.
            Log.StillAway(logger, e.Message);
        }

        multiplexer?.Dispose();
    }

    private static async Task CloseAsync(ConnectionMultiplexer? multiplexer)
    {
        if (multiplexer is not null)
        {
            await multiplexer.CloseAsync(allowCommandsToComplete: false).ConfigureAwait(false);
            multiplexer.Dispose();
        }
    }

    private void Use(ConnectionMultiplexer commands)
    {
#pragma warning disable CS0618 // 2.x knows no other way; in 1.2.6 answers must not wait for each other
        commands.PreserveAsyncOrder = false;
#pragma warning restore CS0618
        _commands = commands;
        _database = commands.GetDatabase();
    }

    private async Task<ConnectionMultiplexer> ConnectBellsAsync()
    {
        var bells = await ConnectAsync("bells").ConfigureAwait(false);
        bells.ConnectionFailed += (_, _) => BellsBroke?.Invoke();
        bells.ConnectionRestored += (_, _) => BellsBroke?.Invoke();
        try
        {
            await Task.WhenAll(_handlers.Select(pair => SubscribeAsync(bells, pair.Key, pair.Value))).WaitAsync(options.CommandTimeout).ConfigureAwait(false);
            return bells;
        }
        catch (Exception e) when (Explain(e) is not null)
        {
            await CloseAsync(bells).ConfigureAwait(false);
            throw;
        }
    }

    private static Task SubscribeAsync(ConnectionMultiplexer bells, string channel, Action<byte[]> handler) =>
        bells.GetSubscriber().SubscribeAsync(Channel(channel), (_, packet) => handler(packet!));

    /// <summary>Asks every master what it is, agrees with all nodes on the incarnation, loads the scripts.</summary>
    private async Task IncarnateAsync(RedisScripts? failed)
    {
        await _incarnating.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_scripts != failed)
            {
                return;
            }

            var masters = await MastersAsync().ConfigureAwait(false);
            if (masters.Count == 0)
            {
                throw new StoreUnavailableException(Sentence(NoMaster));
            }

            var lossless = masters.TrueForAll(static master => master.IsLossless) ? 1 : 0;
            var unpromoted = masters.TrueForAll(static master => !master.WasPromoted) ? 1 : 0;
            RedisValue[] arguments =
                [Receipt.New().ToString(), lossless, unpromoted, .. masters.Select(static master => (RedisValue)master.RunId)];
            var name = await DoAsync(database => database.ScriptEvaluateAsync(
                RedisScripts.Read("Incarnate"), [Keys.Incarnation], arguments, CommandFlags.NoScriptCache)).ConfigureAwait(false);
            var scripts = new RedisScripts((string)name!, Keys.Bell);
            await Task.WhenAll(masters.SelectMany(master => scripts.Texts.Select(text => master.Server.ScriptLoadAsync(text))))
                .WaitAsync(options.CommandTimeout).ConfigureAwait(false);
            if (_scripts is { } before && before.Incarnation != scripts.Incarnation)
            {
                Log.AnotherIncarnation(logger, Address);
            }

            _scripts = scripts;
        }
        catch (Exception e) when (Explain(e) is { } sentence)
        {
            throw new StoreUnavailableException(sentence, e);
        }
        finally
        {
            _incarnating.Release();
        }
    }

    /// <summary>The masters among the servers that are connected; none where there is none.</summary>
    private async Task<List<RedisMaster>> MastersAsync()
    {
        var masters = new List<RedisMaster>();
        foreach (var endPoint in _commands!.GetEndPoints())
        {
            var server = _commands.GetServer(endPoint);
            if (!server.IsConnected)
            {
                continue;
            }

            var info = (await server.InfoAsync().WaitAsync(options.CommandTimeout).ConfigureAwait(false))
                .SelectMany(static section => section)
                .GroupBy(static pair => pair.Key, StringComparer.Ordinal)
                .ToDictionary(static group => group.Key, static group => group.First().Value, StringComparer.Ordinal);
            if (info.GetValueOrDefault("role") == "master")
            {
                masters.Add(new RedisMaster(server, info, await IsLosslessAsync(server, info).ConfigureAwait(false)));
            }
        }

        return masters;
    }

    /// <summary>Whether a server that ended now would come back with everything. Where it does not say, it is taken not to.</summary>
    private async Task<bool> IsLosslessAsync(IServer server, Dictionary<string, string> info)
    {
        if (info.GetValueOrDefault("aof_enabled") != "1")
        {
            return false;
        }

        try
        {
            var policy = await server.ConfigGetAsync("appendfsync").WaitAsync(options.CommandTimeout).ConfigureAwait(false);
            return policy.Any(static pair => pair is { Key: "appendfsync", Value: "always" });
        }
        catch (RedisServerException)
        {
            // CONFIG is closed to us: nothing is proved.
            return false;
        }
    }

    private static RedisChannel Channel(string name) => new(name, RedisChannel.PatternMode.Literal);

    private string Sentence(string what) => string.Create(CultureInfo.InvariantCulture, $"Redis at {Address} {what}.");

    private static partial class Log
    {
        [LoggerMessage(120, LogLevel.Warning, "Redis at {Address} was restarted or replaced and cannot prove that it lost nothing: broadcast cursors of before begin anew")]
        public static partial void AnotherIncarnation(ILogger logger, string address);

        [LoggerMessage(121, LogLevel.Debug, "{Sentence}")]
        public static partial void StillAway(ILogger logger, string sentence);

        [LoggerMessage(130, LogLevel.Information, "A connection to Redis at {Address} did not come back by itself and was made anew")]
        public static partial void Renewed(ILogger logger, string address);
    }
}
