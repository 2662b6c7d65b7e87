using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// This node among the others: it sends a heartbeat every second, declares silent nodes dead, and checks that its own notifications arrive.
/// It decides whether the store can serve. Follow-up work runs outside the heartbeat loop, so that a late heartbeat never marks this node
/// dead. Heartbeats follow the real clock, as the expiry in Redis does, whatever clock the queues' times come from.
/// </summary>
internal sealed partial class RedisNode(
    RedisConnection connection,
    RedisNotifications notifications,
    RedisTimers timers,
    RedisTotals totals,
    RedisStoreOptions options,
    IRedisUpkeep upkeep,
    ILogger logger,
    FaultBorder faults)
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _heartbeatLoop = Task.CompletedTask;
    private Task _upkeep = Task.CompletedTask;
    private Task _healing = Task.CompletedTask;
    private volatile NodeIdentity _identity = new();
    private volatile string? _unavailableReason = "The store is not open yet.";
    private long _heartbeat;
    private long _heard;
    private int _unheard;
    private bool _isJoined;

    public NodeIdentity Identity => _identity;

    /// <summary>The numbers of all living nodes, with this one's, as of the last heartbeat.</summary>
    public IReadOnlyList<string> Living { get; private set; } = [];

    /// <summary>
    /// Null while Redis answers. If only notifications do not arrive, the node still serves and reads the queues once a second.
    /// </summary>
    public string? UnavailableReason => _unavailableReason;

    /// <summary>Joins the other nodes. A caller may repeat a failed call.</summary>
    /// <exception cref="StoreUnavailableException">Redis refuses.</exception>
    public async Task StartAsync()
    {
        notifications.OnHeartbeat = OnHeartbeatHeard;

        // Notifications count as missing until a heartbeat's own arrives again.
        notifications.OnBroken = () => Interlocked.Exchange(ref _heard, -1);
        await HeartbeatAsync();
        await upkeep.RegisterAllDueAsync();
        _unavailableReason = null;
        _heartbeatLoop = RunAsync();
    }

    /// <summary>Reports a failure of Redis. Further calls fail at once, until a heartbeat shows that Redis is back.</summary>
    public void Suspect(string reason) => Fail(_unavailableReason ?? reason);

    /// <summary>Returns the leases that are bound to this node and removes it from the list of nodes.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _heartbeatLoop;
        await Task.WhenAll(_upkeep, _healing);
        _stopping.Dispose();
        try
        {
            if (_isJoined && _unavailableReason is null)
            {
                var ended = await upkeep.EndLeasesOfAsync(
                    _identity.Number, mayWake: false);
                _ = await upkeep.ForgetAsync(_identity.Number, ended.Queues);
            }
        }
        catch (StoreUnavailableException e)
        {
            // The other nodes declare this one dead when its heartbeats end.
            Log.LeftUnnoticed(logger, e.Message);
        }
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(options.HeartbeatInterval, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                await TryHeartbeatAsync();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private async Task TryHeartbeatAsync()
    {
        try
        {
            var isUnheard = Interlocked.Read(ref _heard) < _heartbeat;
            await connection.CheckRightsAsync();
            var dead = await HeartbeatAsync();
            _unheard = isUnheard ? _unheard + 1 : 0;
            _mustResume |= notifications.ConsumeMissed() || isUnheard;
            if (isUnheard && _unavailableReason is null)
            {
                // Redis answers, but its notifications do not arrive: dispatchers read their queues at each heartbeat meanwhile.
                upkeep.NotifyResumed();
            }

            timers.Run();
            KeepUp(IsPatient() ? [] : dead, mayResume: !isUnheard);
        }
        catch (StoreUnavailableException e)
        {
            Fail(e.Message);
            if (!_saidAway)
            {
                _saidAway = true;
                Log.Away(logger, connection.Located(e));
            }
        }
        catch (Exception e)
        {
            // A border: without heartbeats the node would be out of service for ever, without a word in the log.
            faults.Report(e);
            Fail("The store failed with an unknown error; the log has the error.");
        }

        Heal();
    }

    /// <returns>The numbers of nodes whose heartbeats have ended.</returns>
    private async Task<IReadOnlyList<string>> HeartbeatAsync()
    {
        var identity = _identity;
        var join = !_isJoined;
        var heartbeat = Interlocked.Increment(ref _heartbeat);
        var (reply, isMember) = await SendHeartbeatAsync(identity, heartbeat, join);
        if (!isMember)
        {
            await RejoinAsync(identity);
            return [];
        }

        const int Head = 6;
        _isJoined = true;
        totals.Learn(new StoreTotals((long)reply[1], (long)reply[2], (long)reply[3]));
        var dead = (int)reply[4];
        Living = [.. reply.Skip(Head + dead).Select(static number => (string)number!)];
        return [.. reply.Skip(Head).Take(dead).Select(static number => (string)number!)];
    }

    private async Task<(RedisValue[] Reply, bool IsMember)> SendHeartbeatAsync(NodeIdentity identity, long heartbeat, bool join)
    {
        var keys = connection.Keys;
        var changes = totals.Take();
        var isMember = false;
        var askedAt = timers.Clock.Timestamp();
        try
        {
            var reply = await connection.RunAsync(
                RedisScript.Heartbeat,
                [keys.Nodes, keys.Liveness(identity.Number), keys.Totals],
                [
                    identity.Number, (long)options.NodeTimeout.TotalMilliseconds, keys.Notifications,
                    RedisNotifications.HeartbeatPacket(identity.Number, heartbeat), join ? 1 : 0,
                    changes.Queues, changes.Messages, changes.Bytes,
                ]);
            isMember = (long)reply[0] == 1;
            if (isMember)
            {
                timers.Clock.Observe((long)reply[5], askedAt);
            }

            return (reply, isMember);
        }
        finally
        {
            if (!isMember)
            {
                totals.GiveBack(changes);
            }
        }
    }

    /// <summary>The others declared this node dead and returned its leases. Leases that it took since must be returned, too.</summary>
    private async Task RejoinAsync(NodeIdentity old)
    {
        Log.WasDeclaredDead(logger);
        _identity = new NodeIdentity();
        _isJoined = false;
        _mustResume = true;
        _left.Enqueue(old);
        await HeartbeatAsync();
    }

    private void OnHeartbeatHeard(string number, long heartbeat)
    {
        if (number == _identity.Number)
        {
            Interlocked.Exchange(ref _heard, heartbeat);
        }
    }
}
