using System.Globalization;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Sweeps due queues once in the cluster: an index holds all queues by their next due time, and nodes claim from it. The index is a hint:
/// the due time is stored in the queue, every operation brings its queue to the present first, and a node that declares another dead reads
/// all queues' times again. A queue with nothing due is not in the index and costs nothing.
/// </summary>
internal sealed class RedisTimers : IDisposable
{
    /// <summary>How long a node has for what it claimed, before others may.</summary>
    private const int ClaimMs = 5000;

    private const int ClaimMax = 64;

    private readonly RedisConnection _connection;
    private readonly RedisClock _clock;
    private readonly Func<QueueName, Task<long>> _sweep;
    private readonly ILogger _logger;
    private readonly FaultBorder _faults;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private long _armedForMs = long.MaxValue;
    private Task _running = Task.CompletedTask;
    private bool _isRunning;
    private bool _again;
    private bool _disposed;

    /// <param name="connection">The way to Redis.</param>
    /// <param name="clock">Its time decides what is due.</param>
    /// <param name="time">For timers.</param>
    /// <param name="sweep">Lets a queue do what is due; gives when it is due again, 0 for never.</param>
    /// <param name="logger">For the operator.</param>
    /// <param name="faults">A queue whose sweep fails is claimed again when this claim ends.</param>
    public RedisTimers(
        RedisConnection connection,
        RedisClock clock,
        TimeProvider time,
        Func<QueueName, Task<long>> sweep,
        ILogger logger,
        FaultBorder faults)
    {
        _faults = faults;
        _connection = connection;
        _clock = clock;
        _sweep = sweep;
        _logger = logger;
        _timer = time.CreateTimer(
            static state => ((RedisTimers)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The clock that decides what is due.</summary>
    public RedisClock Clock => _clock;

    /// <summary>
    /// Sweeps a queue until nothing is due there, for what one script leaves to the next so that each does a bounded part. Where that
    /// fails, the queue's due time has it done later.
    /// </summary>
    public async ValueTask FinishAsync(QueueName queue)
    {
        const int StepsMax = 1000;
        try
        {
            for (var step = 0; step < StepsMax; step++)
            {
                var due = await _sweep(queue);
                if (due == 0 || due > _clock.NowMs())
                {
                    return;
                }
            }
        }
        catch (StoreUnavailableException e)
        {
            Log.StepsWait(_logger, queue.Value, e.Message);
        }
    }

    /// <summary>A queue's next due time came nearer.</summary>
    public async Task RegisterAsync(QueueName queue, long dueMs)
    {
        try
        {
            await _connection.RunAsync(RedisScript.RegisterDue, _connection.Keys.Due, [queue.Value, dueMs]);
        }
        catch (StoreUnavailableException e)
        {
            // All times are read again when Redis is back.
            Log.NotRegistered(_logger, e.Message);
        }
    }

    /// <summary>Many queues' times at once: names and times in turn.</summary>
    public async Task RegisterAsync(RedisValue[] namesAndTimes)
    {
        await _connection.RunAsync(RedisScript.RegisterDue, _connection.Keys.Due, namesAndTimes);
        Run();
    }

    /// <summary>Looks at the index at that time, if not before.</summary>
    public void WakeAt(long dueMs)
    {
        lock (_gate)
        {
            if (_disposed || dueMs >= _armedForMs)
            {
                return;
            }

            var wait = dueMs - NowMs();
            if (wait > 0)
            {
                _armedForMs = dueMs;
                _timer.Change(TimeSpan.FromMilliseconds(Math.Min(wait, TimeSpan.MillisecondsPerDay)), Timeout.InfiniteTimeSpan);
                return;
            }
        }

        Run();
    }

    /// <summary>Looks at the index now.</summary>
    public void Run()
    {
        lock (_gate)
        {
            _again = true;
            if (_isRunning || _disposed)
            {
                return;
            }

            _isRunning = true;
            _running = RunAsync();
        }
    }

    public Task StopAsync()
    {
        lock (_gate)
        {
            _disposed = true;
            return _running;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        lock (_gate)
        {
            // Also where a run is under way: the time for which the timer was armed is past, and a later one must not find it in its way.
            _armedForMs = long.MaxValue;
        }

        Run();
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        while (GoOn())
        {
            try
            {
                var nextMs = await ClaimAsync();
                if (nextMs > 0)
                {
                    WakeAt(nextMs);
                }
            }
            catch (StoreUnavailableException e)
            {
                Log.NotSwept(_logger, e.Message);
            }
            catch (Exception e)
            {
                // A border: this loop that ended would leave all undone that falls due.
                _faults.Report(e);
            }
        }
    }

    private bool GoOn()
    {
        lock (_gate)
        {
            var goOn = _again && !_disposed;
            _again = false;
            _isRunning = goOn;
            return goOn;
        }
    }

    /// <summary>Sweeps what is due until nothing is; when the next is, or 0.</summary>
    private async Task<long> ClaimAsync()
    {
        while (true)
        {
            var now = NowMs();
            var reply = await _connection.RunAsync(RedisScript.ClaimDue, _connection.Keys.Due, [now, now + ClaimMs, ClaimMax]);
            if (reply.Length <= 1)
            {
                return reply.Length == 0 ? 0 : (long)reply[0];
            }

            await Task.WhenAll(reply.Skip(1).Select(name => TrySweepAsync(name!)));
        }
    }

    /// <summary>Another program's entry, which cannot be the name of a queue, is removed from the index.</summary>
    private Task TrySweepAsync(string name) => QueueName.TryParse(name, out var queue, out _)
        ? _faults.TryAsync(queue, queue, async queue => await SettleAsync(name, await _sweep(queue)))
        : SettleAsync(name, 0);

    private async Task SettleAsync(string name, long next)
    {
        await _connection.RunAsync(
            RedisScript.SettleDue, _connection.Keys.Due, [name, next.ToString(CultureInfo.InvariantCulture)]);
        if (next > 0)
        {
            WakeAt(next);
        }
    }

    private long NowMs() => _clock.NowMs();
}
