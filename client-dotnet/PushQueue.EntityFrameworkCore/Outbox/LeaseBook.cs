using Microsoft.EntityFrameworkCore;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// Which queues this forwarder works on. Forwarders do not compare clocks: a lease whose <see cref="OutboxLease.Beat"/> does not grow for
/// <see cref="OutboxOptions.LeaseDuration"/>, by the monotonic clock of the forwarder that watches it, may be taken. Used by one loop.
/// </summary>
internal sealed class LeaseBook(OutboxOptions options, TimeProvider time)
{
    private readonly string _owner = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.CreateVersion7():N}";
    private readonly Dictionary<string, Sight> _seen = new(StringComparer.Ordinal);

    /// <summary>Takes the lease of a queue, or renews it.</summary>
    public async Task<LeaseAnswer> TryTakeAsync(DbContext db, string queue, CancellationToken cancellationToken)
    {
        if (await BeatAsync(db, queue, cancellationToken).ConfigureAwait(false))
        {
            _ = _seen.Remove(queue);
            return LeaseAnswer.Taken;
        }

        var lease = await db.Set<OutboxLease>().AsNoTracking().FirstOrDefaultAsync(lease => lease.Queue == queue, cancellationToken)
            .ConfigureAwait(false);
        if (lease?.Owner is { } other)
        {
            return await TryTakeOverAsync(db, lease, other, cancellationToken).ConfigureAwait(false);
        }

        return lease is null && await InsertAsync(db, queue, cancellationToken).ConfigureAwait(false)
            ? LeaseAnswer.Taken
            : LeaseAnswer.Refused;
    }

    /// <summary>Shows that this forwarder is alive, and takes a lease that nobody has. False where another forwarder has it.</summary>
    public async Task<bool> BeatAsync(DbContext db, string queue, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await db.Set<OutboxLease>()
            .Where(lease => lease.Queue == queue && (lease.Owner == null || lease.Owner == _owner))
            .ExecuteUpdateAsync(
                set => set.SetProperty(lease => lease.Owner, _owner)
                    .SetProperty(lease => lease.Beat, lease => lease.Beat + 1)
                    .SetProperty(lease => lease.BeatAt, now),
                cancellationToken).ConfigureAwait(false) == 1;
    }

    /// <summary>Leaves a queue to the next forwarder.</summary>
    public Task ReleaseAsync(DbContext db, string queue, CancellationToken cancellationToken) => db.Set<OutboxLease>()
        .Where(lease => lease.Queue == queue && lease.Owner == _owner)
        .ExecuteUpdateAsync(set => set.SetProperty(lease => lease.Owner, (string?)null), cancellationToken);

    /// <summary>Deletes the leases of queues that have had no messages for a day.</summary>
    public Task DeleteUnusedAsync(DbContext db, CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - TimeSpan.FromDays(1);
        return db.Set<OutboxLease>().Where(lease => lease.Owner == null && lease.BeatAt < before).ExecuteDeleteAsync(cancellationToken);
    }

    private async Task<LeaseAnswer> TryTakeOverAsync(DbContext db, OutboxLease lease, string other, CancellationToken cancellationToken)
    {
        if (!_seen.TryGetValue(lease.Queue, out var sight) || sight.Owner != other || sight.Beat != lease.Beat)
        {
            _seen[lease.Queue] = new Sight(other, lease.Beat, time.GetTimestamp());
            return LeaseAnswer.Refused;
        }

        if (time.GetElapsedTime(sight.Since) < options.LeaseDuration)
        {
            return LeaseAnswer.Refused;
        }

        var now = time.GetUtcNow();
        var taken = await db.Set<OutboxLease>()
            .Where(row => row.Queue == lease.Queue && row.Owner == other && row.Beat == lease.Beat)
            .ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Owner, _owner)
                    .SetProperty(row => row.Beat, row => row.Beat + 1)
                    .SetProperty(row => row.BeatAt, now),
                cancellationToken).ConfigureAwait(false) == 1;
        _ = _seen.Remove(lease.Queue);
        return taken ? new LeaseAnswer(IsTaken: true, AbandonedAt: lease.BeatAt) : LeaseAnswer.Refused;
    }

    private async Task<bool> InsertAsync(DbContext db, string queue, CancellationToken cancellationToken)
    {
        _ = db.Add(new OutboxLease { Queue = queue, Owner = _owner, Beat = 1, BeatAt = time.GetUtcNow() });
        try
        {
            _ = await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (DbUpdateException) when (!cancellationToken.IsCancellationRequested)
        {
            // Another forwarder was faster. Any other cause shows at the next statement.
            return false;
        }
        finally
        {
            db.ChangeTracker.Clear();
        }
    }

    /// <summary>A lease of another forwarder.</summary>
    private sealed record Sight(string Owner, long Beat, long Since);
}
