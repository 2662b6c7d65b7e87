using System.Collections.Concurrent;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>The work that follows heartbeats: resuming after an outage, declaring nodes dead, subscribing again.</summary>
internal sealed partial class RedisNode
{
    /// <summary>After so many heartbeats in a row whose notification did not arrive, the node subscribes again.</summary>
    private const int ResubscribeAfter = 3;

    private readonly Lock _gate = new();

    /// <summary>The node's previous identities, kept until their leases are ended.</summary>
    private readonly ConcurrentQueue<NodeIdentity> _left = new();

    private IReadOnlyList<string> _dead = [];
    private bool _mayResume;

    /// <summary>Notifications may have been missed, so that dispatchers must read their queues once they arrive again.</summary>
    private volatile bool _mustResume;
    private volatile bool _saidAway;
    private int _failures;
    private long? _lastHeartbeat;
    private long? _patientSince;

    private void Fail(string reason)
    {
        lock (_gate)
        {
            _failures++;
            _mustResume = true;
            _unavailableReason = reason;
        }
    }

    /// <summary>
    /// Starts the work that follows a heartbeat, unless that of an earlier one still runs: then the next heartbeat starts it.
    /// </summary>
    private void KeepUp(IReadOnlyList<string> dead, bool mayResume)
    {
        if (_upkeep.IsCompleted)
        {
            _dead = dead;
            _mayResume = mayResume;
            _upkeep = KeepUpAsync();
        }
    }

    private async Task KeepUpAsync()
    {
        await Task.Yield();
        await TryAsync(LeaveAsync);
        await TryAsync(upkeep.ReleaseLostAsync);
        await TryAsync(upkeep.FeedHistoriesAsync);
        if (_mayResume && _mustResume)
        {
            await TryAsync(ResumeAsync);
        }

        foreach (var node in _dead)
        {
            await TryAsync(() => DeclareDeadAsync(node));
        }
    }

    /// <summary>Runs one step so that its failure does not prevent the others.</summary>
    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (StoreUnavailableException e)
        {
            // The rest is found again at a later heartbeat: here, or in Redis.
            Log.UpkeepWaits(logger, e.Message);
        }
        catch (Exception e)
        {
            // A border: nobody waits for this.
            faults.Report(e);
        }
    }

    /// <summary>Ends the leases of the node's previous identities; an identity is kept until all its leases are ended.</summary>
    private async Task LeaveAsync()
    {
        for (var left = _left.Count; left > 0 && _left.TryDequeue(out var old); left--)
        {
            var isDone = false;
            try
            {
                isDone = (await upkeep.EndLeasesOfAsync(old.Number, mayWake: true, old.Queues.Keys)).AllEnded;
            }
            finally
            {
                if (!isDone)
                {
                    _left.Enqueue(old);
                }
            }
        }
    }

    private async Task ResumeAsync()
    {
        int failures;
        lock (_gate)
        {
            failures = _failures;

            // Notifications missed from here on set this again.
            _mustResume = false;
        }

        try
        {
            await upkeep.RecordQueuesAsync(_identity);
            await upkeep.RegisterAllDueAsync();
        }
        catch
        {
            _mustResume = true;
            throw;
        }

        string? reason;
        lock (_gate)
        {
            if (failures != _failures)
            {
                // Redis failed again meanwhile.
                return;
            }

            reason = _unavailableReason;
            _unavailableReason = null;
        }

        if (reason is not null)
        {
            _saidAway = false;
            Log.Back(logger, connection.Address);
        }

        upkeep.NotifyResumed();
    }

    private async Task DeclareDeadAsync(string node)
    {
        Log.DeclaredDead(logger, node);
        EndedLeases ended;
        do
        {
            ended = await upkeep.EndLeasesOfAsync(node, mayWake: true);
            await upkeep.RegisterAllDueAsync();
        }
        while (!_stopping.IsCancellationRequested && !await upkeep.ForgetAsync(node, ended.Queues) && ended.AllEnded);
    }

    /// <summary>
    /// Called with each answered heartbeat: whether silent nodes must not be declared dead yet. After Redis stood still for a while, the
    /// others' liveness keys may have expired just before this node's own, so they get a second full timeout.
    /// </summary>
    private bool IsPatient()
    {
        var (time, now) = (TimeProvider.System, TimeProvider.System.GetTimestamp());
        if (_lastHeartbeat is { } last && time.GetElapsedTime(last, now) >= options.NodeTimeout - options.HeartbeatInterval)
        {
            _patientSince = now;
        }

        _lastHeartbeat = now;
        return _patientSince is { } since && time.GetElapsedTime(since, now) < options.NodeTimeout;
    }

    /// <summary>
    /// Subscribes again if heartbeats are answered but their notifications do not arrive: Redis no longer knows of the subscription.
    /// </summary>
    private void Heal()
    {
        if (_unheard >= ResubscribeAfter && _healing.IsCompleted)
        {
            _unheard = 0;
            _healing = TryAsync(async () =>
            {
                await Task.Yield();
                await connection.ResubscribeAsync();
                Log.Resubscribed(logger, connection.Address);
            });
        }
    }
}
