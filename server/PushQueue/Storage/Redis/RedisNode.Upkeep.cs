using System.Collections.Concurrent;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>What beats give rise to, done beside them: coming back after an outage, burying who is dead, mending connections.</summary>
internal sealed partial class RedisNode
{
    /// <summary>After so many heartbeats in a row whose notification did not arrive, the node subscribes again.</summary>
    private const int ResubscribeAfter = 3;

    private readonly Lock _gate = new();

    /// <summary>What this node was before others took it for dead, until its leases of that time are ended.</summary>
    private readonly ConcurrentQueue<NodeIdentity> _left = new();

    private IReadOnlyList<string> _dead = [];
    private bool _mayResume;

    /// <summary>News may have been missed: whoever relies on them has to look for himself once they come again.</summary>
    private volatile bool _mustResume;
    private volatile bool _saidAway;
    private int _failures;
    private long? _lastBeat;
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

    /// <summary>Has done what a beat gave rise to, unless that of an earlier one is still being done: then the next beat sees to it.</summary>
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
        await TryAsync(undertaker.ReleaseLostAsync);
        if (_mayResume && _mustResume)
        {
            await TryAsync(ResumeAsync);
        }

        foreach (var node in _dead)
        {
            await TryAsync(() => BuryAsync(node));
        }
    }

    /// <summary>Does one thing of which no other must depend: one queue that cannot be read would keep the node from coming back.</summary>
    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (StoreUnavailableException e)
        {
            // What is not done yet is found again with a later beat: here, or in Redis.
            Log.UpkeepWaits(logger, e.Message);
        }
        catch (Exception e)
        {
            // A border: nobody waits for this.
            faults.Report(e);
        }
    }

    /// <summary>Ends what was leased under numbers that others took for dead, each until it is done.</summary>
    private async Task LeaveAsync()
    {
        for (var left = _left.Count; left > 0 && _left.TryDequeue(out var old); left--)
        {
            var isDone = false;
            try
            {
                isDone = (await undertaker.EndLeasesOfAsync(old.Number, mayWake: true, old.Queues.Keys)).AllEnded;
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

            // News that are missed from here on are looked for with the next beat again.
            _mustResume = false;
        }

        try
        {
            await undertaker.NoteQueuesAsync(_identity);
            await undertaker.RegisterAllDueAsync();
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
                // Away again meanwhile.
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

        undertaker.TellResumed();
    }

    private async Task BuryAsync(string node)
    {
        Log.Buried(logger, node);
        EndedLeases ended;
        do
        {
            ended = await undertaker.EndLeasesOfAsync(node, mayWake: true);
            await undertaker.RegisterAllDueAsync();
        }
        while (!_stopping.IsCancellationRequested && !await undertaker.ForgetAsync(node, ended.Queues) && ended.AllEnded);
    }

    /// <summary>
    /// Called with each beat that was answered: whether others that seem dead must not be buried yet. Where Redis has stood still for a while, their
    /// signs of life may have run out just before this node's own, and who is first to beat again must not bury who is second: they get as long again.
    /// </summary>
    private bool IsPatient()
    {
        var (time, now) = (TimeProvider.System, TimeProvider.System.GetTimestamp());
        if (_lastBeat is { } last && time.GetElapsedTime(last, now) >= options.NodeLife - options.BeatInterval)
        {
            _patientSince = now;
        }

        _lastBeat = now;
        return _patientSince is { } since && time.GetElapsedTime(since, now) < options.NodeLife;
    }

    /// <summary>
    /// Subscribes again if heartbeats are answered but their notifications do not arrive: Redis no longer knows of the subscription.
    /// </summary>
    private void Heal()
    {
        if (_deaf >= ResubscribeAfter && _healing.IsCompleted)
        {
            _deaf = 0;
            _healing = TryAsync(async () =>
            {
                await Task.Yield();
                await connection.ResubscribeAsync();
                Log.Resubscribed(logger, connection.Address);
            });
        }
    }
}
