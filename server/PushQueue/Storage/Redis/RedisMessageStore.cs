using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The store that nodes share. It holds no message and no rule: each operation is one script, in which Redis does all of it or nothing, with the
/// time as an argument. Here arguments are packed, answers read, and what a script cannot reach (keys of other hash tags: the directory of
/// queues, the index of due times) is kept up. Calls go through <see cref="RedisConnection"/>; news come from <see cref="RedisBells"/>.
/// </summary>
internal sealed partial class RedisMessageStore : IMessageStore
{
    /// <summary>How many queues' keys are remembered; then all are forgotten and made anew as they are used.</summary>
    private const int KeysMax = 100_000;

    /// <summary>The year 2109. A ready message's score holds its priority above so many bits.</summary>
    private const long LatestMs = (1L << 42) - 1;

    private readonly RedisStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RedisConnection _connection;
    private readonly RedisTimers _timers;
    private readonly FaultBorder _faults;
    private readonly ConcurrentDictionary<QueueName, KnownQueue> _queues = new();
    private readonly TurnTimeouts _turns;
    private readonly RedisTotals _totals = new();
    private readonly LostLeases _lost = new();
    private RedisBells? _bells;
    private RedisNode? _node;
    private IQueueChangeListener? _listener;
    private bool _disposed;

    public RedisMessageStore(RedisStoreOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _logger = loggers.CreateLogger<RedisMessageStore>();
        _connection = new RedisConnection(options, _logger);
        _faults = new FaultBorder("redis-queues", _logger, options.Meter);
        _timers = new RedisTimers(_connection, time, SweepAsync, _logger, new FaultBorder("due-timers", _logger, options.Meter));
        _turns = new TurnTimeouts(time, queue => _listener!.OnReady(queue), new FaultBorder("turns", _logger, options.Meter));
        Nodes = new RedisNodes(_connection, time, () => LivingNodes.Count, _logger);
        Durability = Durability.Redis(options.WaitForReplicas);
    }

    public string Description => $"Redis at {_connection.Address}";

    public Durability Durability { get; }

    public StoreTotals? Totals => _totals.Current;

    public RedisNodes Nodes { get; }

    /// <summary>The numbers of all nodes that live, as of this one's last beat.</summary>
    public IReadOnlyList<string> LivingNodes => _node?.Living ?? [];

    public string? UnavailableReason => _node is null ? "The store is not open yet." : _node.UnavailableReason;

    public async Task OpenAsync(IQueueChangeListener listener, CancellationToken cancellationToken)
    {
        _listener = listener;
        _bells = new RedisBells(_connection, listener, () => _node!.Identity.Number, SeeBroadcast, SeeDeleted, _logger, new FaultBorder("notification", _logger, _options.Meter));
        _node = new RedisNode(_connection, _bells, _timers, _totals, _options, this, _logger, new FaultBorder("upkeep", _logger, _options.Meter));
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

        if (_bells is not null)
        {
            await _bells.CloseAsync();
        }

        _timers.Dispose();
        await _connection.DisposeAsync();
    }

    private async Task JoinAsync()
    {
        await _connection.OpenAsync();
        await _bells!.OpenAsync();
        await Nodes.OpenAsync();
        await _node!.StartAsync();
    }

    private long NowMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();

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
            static (name, connection) => new KnownQueue(name, connection.IsCluster ? connection.Keys.All(name) : [connection.Keys.Queue(name)]),
            _connection);
    }

    /// <summary>
    /// Runs a script on a queue and does what its answer asks for beside. The first argument, the time, and the second, the name, are filled in.
    /// </summary>
    /// <returns>The answer; null where there is no such queue.</returns>
    /// <exception cref="StoreUnavailableException">Redis is out of reach or refuses.</exception>
    private async ValueTask<RedisValue[]?> RunAsync(RedisScript script, QueueName queue, RedisValue[] arguments)
    {
        if (UnavailableReason is { } reason)
        {
            throw new StoreUnavailableException(reason);
        }

        var known = Known(queue);
        arguments[0] = NowMs();
        arguments[1] = Who(known);
        var reply = await RunAsync(script, known.Keys, arguments);
        var control = _totals.Read(reply[0]);
        if (control < 0)
        {
            return null;
        }

        if (control > 0)
        {
            await TryAttendAsync(queue, control);
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

    /// <summary>Where it fails the script's answer stands nevertheless; the queue's next script asks for the same.</summary>
    private async ValueTask TryAttendAsync(QueueName queue, long control)
    {
        try
        {
            await AttendAsync(queue, control);
        }
        catch (StoreUnavailableException e)
        {
            Log.NotListed(_logger, queue.Value, e.Message);
        }
    }

    /// <summary>What a script asked for: its queue in the directory, the next due time in the index.</summary>
    private async ValueTask AttendAsync(QueueName queue, long control)
    {
        const int Unlisted = 1;
        const int DeadUnlisted = 2;
        const int SourceUnlisted = 4;
        const int Flags = 8;
        if (control >= Flags)
        {
            // Registered first: who claims what is due in between would arm the timer for a later time.
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

    /// <summary>Puts a queue into the directory first and notes it in the queue then: whoever dies between leaves it to the next.</summary>
    private async Task ListAsync(QueueName queue)
    {
        if (await _connection.DoAsync(database => database.SortedSetAddAsync(_connection.Keys.Directory, queue.Value, 0)))
        {
            _totals.Add(1, 0, 0);
        }

        _ = await _connection.RunAsync(RedisScript.MarkListed, Known(queue).Keys, []);
    }

    private async Task<long> SweepAsync(QueueName queue) =>
        await RunAsync(RedisScript.Sweep, queue, new RedisValue[2]) is { } reply ? (long)reply[1] : 0;

    private static BrokerFailure Failure(StoreUnavailableException exception) => new(QueueError.StoreUnavailable, exception.Message);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A time as scripts take it: Unix milliseconds, within what a score can hold beside a priority.</summary>
    private static string Text(DateTimeOffset time) => Text(Math.Clamp(time.ToUnixTimeMilliseconds(), 1, LatestMs));

    private static string Text(DateTimeOffset? time) => time is { } given ? Text(given) : string.Empty;

    private static long Ms(TimeSpan duration) => (long)duration.TotalMilliseconds;

    /// <summary>Who asks: this node's number and the queue's name.</summary>
    private byte[] Who(KnownQueue known) => known.AskedBy(_node!.Identity.Number);

    private static partial class Log
    {
        [LoggerMessage(134, LogLevel.Debug, "Queue {Queue} was not put into the directory: {Sentence}")]
        public static partial void NotListed(ILogger logger, string queue, string sentence);

        [LoggerMessage(135, LogLevel.Information, "{Count} messages of queue {Queue} were leased in answers that never came, and given back")]
        public static partial void GivenBack(ILogger logger, long count, string queue);
    }
}
