using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The store that nodes share. It holds no message and no rule: each operation is one script, which Redis executes completely or not at
/// all, with the time as an argument. This class packs arguments, reads answers, and maintains keys of other hash tags, which a script
/// cannot reach: the directory of queues and the index of due times.
/// </summary>
internal sealed partial class RedisMessageStore : IMessageStore
{
    /// <summary>The most queues whose keys are remembered; beyond it all are forgotten and made again when used.</summary>
    private const int KeysMax = 100_000;

    private readonly RedisStoreOptions _options;
    private readonly RedisClock _clock;
    private readonly RedisQueueList _list;
    private readonly ILogger _logger;
    private readonly RedisConnection _connection;
    private readonly RedisDirectory _directory;
    private readonly RedisFeeds _feeds;
    private readonly RedisEarlier _earlier;
    private readonly RedisTimers _timers;
    private readonly FaultBorder _faults;
    private readonly ConcurrentDictionary<QueueName, KnownQueue> _queues = new();
    private readonly TurnTimeouts _turns;
    private readonly RedisTotals _totals = new();
    private readonly LostLeases _lost = new();
    private RedisNotifications? _notifications;
    private RedisNode? _node;
    private IQueueChangeListener? _listener;
    private bool _disposed;

    public RedisMessageStore(RedisStoreOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _clock = new RedisClock(time, options.FollowsClockOfRedis);
        _logger = loggers.CreateLogger<RedisMessageStore>();
        _connection = new RedisConnection(options, _logger);
        _directory = new RedisDirectory(_connection);
        _feeds = new RedisFeeds(_directory, () => _listener!, _logger);
        _earlier = new RedisEarlier(_connection, _directory, (queue, args, keys) => RunAsync(RedisScript.CopyEarlier, queue, args, keys));
        _faults = new FaultBorder("redis-queues", _logger, options.Meter);
        _timers = new RedisTimers(
            _connection, _clock, time, SweepAsync, _logger, new FaultBorder("due-timers", _logger, options.Meter));
        _turns = new TurnTimeouts(time, queue => _listener!.OnReady(queue), new FaultBorder("turns", _logger, options.Meter));
        _list = new RedisQueueList(_connection, _clock, TryGetQueueAsync);
        Secret = new RedisSecret(_connection);
        Nodes = new RedisNodes(_connection, time, () => LivingNodes.Count, _logger);
        Durability = Durability.Redis(options.WaitForReplicas);
    }

    /// <summary>Without the address: answers to clients show it.</summary>
    public string Description => "Redis";

    public Durability Durability { get; }

    public DateTimeOffset Now => _clock.Now;

    public StoreTotals? Totals => _totals.Current;

    public RedisNodes Nodes { get; }

    public RedisSecret Secret { get; }

    /// <summary>The numbers of all nodes that live, as of this one's last heartbeat.</summary>
    public IReadOnlyList<string> LivingNodes => _node?.Living ?? [];

    public string? UnavailableReason => _node is null ? "The store is not open yet." : _node.UnavailableReason;

    public async Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken)
    {
        _listener = listener;
        _notifications = new RedisNotifications(
            _connection, listener, () => _node!.Identity.Number, OnBroadcastSeen, OnDeletedSeen, _logger, Border("notification"));
        _node = new RedisNode(_connection, _notifications, _timers, _totals, _options, this, _logger, Border("upkeep"));
        await RedisStart.UntilItWorksAsync(JoinAsync, _connection.Address, _options.StartInterval, _logger, cancellationToken);
        _timers.Run();
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _turns.Dispose();
        await _timers.StopAsync();
        if (_node is not null)
        {
            await _node.StopAsync();
        }

        if (_notifications is not null)
        {
            await _notifications.CloseAsync();
        }

        _timers.Dispose();
        await _connection.DisposeAsync();
    }

    private async Task JoinAsync()
    {
        await _connection.OpenAsync();
        await _notifications!.OpenAsync();
        await Nodes.OpenAsync();
        await _node!.StartAsync();
    }

    private FaultBorder Border(string where) => new(where, _logger, _options.Meter);

    private long NowMs() => _clock.NowMs();

    private KnownQueue Known(QueueName queue)
    {
        if (_queues.TryGetValue(queue, out var known))
        {
            return known;
        }

        if (_queues.Count >= KeysMax)
        {
            _queues.Clear();
        }

        return _queues.GetOrAdd(
            queue,
            static (name, connection) => new KnownQueue(
                name, connection.IsCluster ? connection.Keys.AllOnCluster(name) : [connection.Keys.Queue(name)]),
            _connection);
    }

    /// <summary>
    /// Runs the script and the follow-up work that its answer requests. Fills in the first two arguments, the time and the caller.
    /// </summary>
    /// <returns>The answer; null if the queue does not exist.</returns>
    /// <exception cref="StoreUnavailableException">Redis is out of reach or refuses.</exception>
    private async ValueTask<RedisValue[]?> RunAsync(RedisScript script, QueueName queue, RedisValue[] arguments, RedisKey[]? keys = null)
    {
        if (UnavailableReason is { } reason)
        {
            throw new StoreUnavailableException(reason);
        }

        var known = Known(queue);
        arguments[0] = NowMs();
        arguments[1] = Caller(known);
        var reply = await RunAsync(script, keys ?? known.Keys, arguments);
        var control = _totals.Read(reply[0]);
        if (control < 0)
        {
            return control == RedisPutReply.KeysMissing ? reply : null;
        }

        if (control > 0)
        {
            await TryFollowUpAsync(queue, control);
        }

        return reply;
    }

    private async ValueTask<RedisValue[]> RunAsync(RedisScript script, RedisKey[] keys, RedisValue[] arguments)
    {
        try
        {
            return await _connection.RunAsync(script, keys, arguments);
        }
        catch (StoreUnavailableException e)
            when (e.InnerException is TimeoutException or RedisConnectionException || RedisFailure.IsMissingRight(e.InnerException))
        {
            _node!.Suspect(e.Message);
            throw;
        }
    }

    /// <summary>A failure does not affect the script's answer; the queue's next script requests the same.</summary>
    private async ValueTask TryFollowUpAsync(QueueName queue, long control)
    {
        try
        {
            await FollowUpAsync(queue, control);
        }
        catch (StoreUnavailableException e)
        {
            Log.NotListed(_logger, queue.Value, e.Message);
        }
    }

    /// <summary>Does the work that a script requested: its queue in the directory, the next due time in the index.</summary>
    private async ValueTask FollowUpAsync(QueueName queue, long control)
    {
        const int Unlisted = 1;
        const int DeadUnlisted = 2;
        const int SourceUnlisted = 4;
        const int Flags = 8;
        if (control >= Flags)
        {
            // Registered first: a claim between the two steps would arm the timer for a later time.
            var due = control / Flags;
            await _timers.RegisterAsync(queue, due);
            _timers.WakeAt(due);
        }

        if ((control & Unlisted) != 0)
        {
            await ListAsync(queue);
        }

        if ((control & DeadUnlisted) != 0)
        {
            await ListAsync(queue.DeadLetter);
        }

        if ((control & SourceUnlisted) != 0)
        {
            await ListAsync(queue.Source);
        }
    }

    /// <summary>
    /// Puts a queue into the directory, then records that in the queue. If the node dies between the two steps, the next caller repeats
    /// them.
    /// </summary>
    private async Task ListAsync(QueueName queue)
    {
        if (await _connection.DoAsync(database => database.SortedSetAddAsync(_connection.Keys.Directory, queue.Value, 0)))
        {
            _totals.Add(1, 0, 0);
        }

        await GiveDefaultsAsync(queue);
        _ = await _connection.RunAsync(RedisScript.MarkListed, Known(queue).Keys, []);
    }

    /// <summary>Gives a queue the settings that its name brings and that it does not have yet.</summary>
    private async Task GiveDefaultsAsync(QueueName queue)
    {
        if (QueueExpiry.PatchOf(_options.Expires, queue) is not { } patch)
        {
            return;
        }

        var known = Known(queue);
        var arguments = RedisSettings.Change(patch, []);
        (arguments[0], arguments[1]) = (NowMs(), Caller(known));
        var reply = await _connection.RunAsync(RedisScript.UpdateSettings, known.Keys, arguments);
        if (_totals.Read(reply[0]) is >= 8 and var control)
        {
            // Only its due time: the directory is the business of the caller.
            await FollowUpAsync(queue, control & ~7L);
        }
    }

    private async Task<long> SweepAsync(QueueName queue)
    {
        if (await RunAsync(RedisScript.Sweep, queue, new RedisValue[2]) is not { } reply)
        {
            return 0;
        }

        return (long)reply[3] == 1 ? (await _earlier.CopyAsync(queue) ? NowMs() : await SweepAsync(queue))
            : (long)reply[2] == 1 ? await EndUnusedAsync(queue) : (long)reply[1];
    }

    private static BrokerFailure Failure(StoreUnavailableException exception) =>
        new(QueueError.StoreUnavailable, exception.Message);

    /// <summary>The caller argument of a script: this node's number and the queue's name.</summary>
    private byte[] Caller(KnownQueue known) => known.CallerArgument(_node!.Identity.Number);
}
