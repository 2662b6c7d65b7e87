using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// This node among the others: once a second it says that it lives, learns who does not any more and buries them, and hears by its own bell
/// whether news reach it. It alone decides whether the store can serve. What a beat gives rise to is done beside the beats, which wait for nothing
/// but Redis's answer to them: a node that is late with its own is buried by the others. The beats follow the real clock, as Redis's own expiry of the signs of
/// life does, whatever clock the queues' times come from.
/// </summary>
internal sealed partial class RedisNode(
    RedisConnection connection,
    RedisBells bells,
    RedisTimers timers,
    RedisTotals totals,
    RedisStoreOptions options,
    IRedisUndertaker undertaker,
    ILogger logger,
    FaultBorder faults)
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _beating = Task.CompletedTask;
    private Task _upkeep = Task.CompletedTask;
    private Task _healing = Task.CompletedTask;
    private volatile NodeIdentity _identity = new();
    private volatile string? _unavailableReason = "The store is not open yet.";
    private long _beat;
    private long _heard;
    private int _deaf;
    private bool _isJoined;

    public NodeIdentity Identity => _identity;

    /// <summary>The numbers of all nodes that live, this one's too, as of the last beat.</summary>
    public IReadOnlyList<string> Living { get; private set; } = [];

    /// <summary>
    /// Null while Redis answers. Where only the news do not come through, the node goes on serving: it looks for itself once a second.
    /// </summary>
    public string? UnavailableReason => _unavailableReason;

    /// <summary>Joins the others; may be called again where it failed.</summary>
    /// <exception cref="StoreUnavailableException">Redis refuses.</exception>
    public async Task StartAsync()
    {
        bells.OnBeat = Hear;

        // Deaf until a beat is heard again.
        bells.OnBroken = () => Interlocked.Exchange(ref _heard, -1);
        await BeatAsync();
        await undertaker.RegisterAllDueAsync();
        _unavailableReason = null;
        _beating = RunAsync();
    }

    /// <summary>Something failed: what follows fails at once, until a beat shows that Redis is back.</summary>
    public void Suspect(string reason) => Fail(_unavailableReason ?? reason);

    /// <summary>Gives back what is bound to this node and takes it off the list.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _beating;
        await Task.WhenAll(_upkeep, _healing);
        _stopping.Dispose();
        try
        {
            if (_isJoined && _unavailableReason is null)
            {
                var ended = await undertaker.EndLeasesOfAsync(
                    _identity.Number, mayWake: false);
                _ = await undertaker.ForgetAsync(_identity.Number, ended.Queues);
            }
        }
        catch (StoreUnavailableException e)
        {
            // The others find out by themselves.
            Log.LeftUnnoticed(logger, e.Message);
        }
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(options.BeatInterval, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                await TryBeatAsync();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Stopped in order.
        }
    }

    private async Task TryBeatAsync()
    {
        try
        {
            var deaf = Interlocked.Read(ref _heard) < _beat;
            await connection.CheckRightsAsync();
            var dead = await BeatAsync();
            _deaf = deaf ? _deaf + 1 : 0;
            _mustResume |= bells.TakeMissed() || deaf;
            if (deaf && _unavailableReason is null)
            {
                // No news come, but Redis answers: whoever waits for news looks for himself meanwhile, once with each beat.
                undertaker.TellResumed();
            }

            timers.Run();
            KeepUp(IsPatient() ? [] : dead, mayResume: !deaf);
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
            // A border: without beats the node would be out of service for ever, and nobody would say so.
            faults.Report(e);
            Fail("The store failed in a way that it does not know; the log has the error.");
        }

        Heal();
    }

    /// <returns>The numbers of nodes that have stopped beating.</returns>
    private async Task<IReadOnlyList<string>> BeatAsync()
    {
        var identity = _identity;
        var join = !_isJoined;
        var beat = Interlocked.Increment(ref _beat);
        var (reply, isMember) = await SayAsync(identity, beat, join);
        if (!isMember)
        {
            await BeginAnewAsync(identity);
            return [];
        }

        const int Head = 5;
        _isJoined = true;
        totals.Learn(new StoreTotals((long)reply[1], (long)reply[2], (long)reply[3]));
        var dead = (int)reply[4];
        Living = [.. reply.Skip(Head + dead).Select(static number => (string)number!)];
        return [.. reply.Skip(Head).Take(dead).Select(static number => (string)number!)];
    }

    private async Task<(RedisValue[] Reply, bool IsMember)> SayAsync(NodeIdentity identity, long beat, bool join)
    {
        var keys = connection.Keys;
        var news = totals.Take();
        var heard = false;
        try
        {
            var reply = await connection.RunAsync(
                RedisScript.Beat,
                [keys.Nodes, keys.Life(identity.Number), keys.Totals],
                [
                    identity.Number, (long)options.NodeLife.TotalMilliseconds, keys.Bell, RedisBells.BeatPacket(identity.Number, beat), join ? 1 : 0,
                    news.Queues, news.Messages, news.Bytes,
                ]);
            heard = (long)reply[0] == 1;
            return (reply, heard);
        }
        finally
        {
            if (!heard)
            {
                totals.GiveBack(news);
            }
        }
    }

    /// <summary>The others took this node for dead and gave its leases back; what it has leased since must go back too.</summary>
    private async Task BeginAnewAsync(NodeIdentity old)
    {
        Log.TakenForDead(logger);
        _identity = new NodeIdentity();
        _isJoined = false;
        _mustResume = true;
        _left.Enqueue(old);
        await BeatAsync();
    }

    private void Hear(string number, long beat)
    {
        if (number == _identity.Number)
        {
            Interlocked.Exchange(ref _heard, beat);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(130, LogLevel.Warning, "Redis at {Address} answered but sent no notifications; this node subscribed to them again")]
        public static partial void Resubscribed(ILogger logger, string address);

        [LoggerMessage(124, LogLevel.Warning, "The store cannot serve: {Sentence}")]
        public static partial void Away(ILogger logger, string sentence);

        [LoggerMessage(125, LogLevel.Warning, "Redis at {Address} is back")]
        public static partial void Back(ILogger logger, string address);

        [LoggerMessage(126, LogLevel.Warning, "Node {Node} has stopped; what it held is given back")]
        public static partial void Buried(ILogger logger, string node);

        [LoggerMessage(137, LogLevel.Debug, "What has to be done after a beat waits for the next: {Sentence}")]
        public static partial void UpkeepWaits(ILogger logger, string sentence);

        [LoggerMessage(127, LogLevel.Warning, "The other nodes took this one for dead; it goes on under another number")]
        public static partial void TakenForDead(ILogger logger);

        [LoggerMessage(128, LogLevel.Debug, "The node left without a word: {Sentence}")]
        public static partial void LeftUnnoticed(ILogger logger, string sentence);
    }
}
