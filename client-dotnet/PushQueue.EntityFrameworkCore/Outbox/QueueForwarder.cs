using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// Forwards the rows of one queue after the other: takes the lease, reads a page, puts it, deletes its rows. The order of these steps makes
/// a message that is put twice possible and one that is lost impossible; ids make the second put do nothing.
/// </summary>
internal sealed class QueueForwarder(
    LeaseBook leases, PagePutter putter, DedupWindows windows, OutboxMeter meter, OutboxOptions options, TimeProvider time, ILogger logger)
{
    private const int ReasonMax = 1000;

    private readonly Dictionary<string, QueueWait> _waiting = new(StringComparer.Ordinal);

    /// <summary>Why the server is away, after <see cref="QueueTurn.Away"/>.</summary>
    public PushQueueException? Failure { get; private set; }

    /// <summary>The queues that have rows to forward. Each is found by a look into the index, however many rows there are.</summary>
    public async Task<List<string>> QueuesAsync(DbContext db, CancellationToken cancellationToken)
    {
        var queues = new List<string>();
        var rows = db.Set<OutboxMessage>().Where(static row => !row.IsSetAside);
        var next = await rows.MinAsync(static row => (string?)row.Queue, cancellationToken).ConfigureAwait(false);
        while (next is { } queue)
        {
            queues.Add(queue);
#pragma warning disable CA1309, CA1310, MA0001, MA0074 // Becomes SQL; the database compares.
            next = await rows.Where(row => string.Compare(row.Queue, queue) > 0)
                .MinAsync(static row => (string?)row.Queue, cancellationToken).ConfigureAwait(false);
#pragma warning restore CA1309, CA1310, MA0001, MA0074
        }

        foreach (var gone in _waiting.Keys.Except(queues, StringComparer.Ordinal).ToList())
        {
            _ = _waiting.Remove(gone);
        }

        return queues;
    }

    /// <summary>Forwards one page of a queue's rows.</summary>
    public async Task<QueueTurn> TurnAsync(DbContext db, string queue, CancellationToken cancellationToken)
    {
        if (_waiting.TryGetValue(queue, out var wait) && time.GetElapsedTime(wait.Since) < wait.Duration)
        {
            return QueueTurn.Done;
        }

        var lease = await leases.TryTakeAsync(db, queue, cancellationToken).ConfigureAwait(false);
        if (!lease.IsTaken)
        {
            return QueueTurn.Done;
        }

        if (lease.AbandonedAt is { } at && (options.DedupWindow is not { } window || time.GetUtcNow() - at > window))
        {
            OutboxLog.Uncertain(logger, queue, at);
        }

        var (rows, isFull) = await ReadAsync(db, queue, cancellationToken).ConfigureAwait(false);
        var turn = rows.Count == 0 ? QueueTurn.Done : await ForwardAsync(db, queue, rows, isFull, cancellationToken).ConfigureAwait(false);
        if (turn != QueueTurn.More)
        {
            await leases.ReleaseAsync(db, queue, cancellationToken).ConfigureAwait(false);
        }

        return turn;
    }

    private async Task<QueueTurn> ForwardAsync(
        DbContext db, string queue, List<OutboxMessage> rows, bool isFull, CancellationToken cancellationToken)
    {
        PutOutcome outcome;
        try
        {
            await windows.EnsureAsync(queue, cancellationToken).ConfigureAwait(false);
            outcome = await putter.PutAsync(db, queue, rows, cancellationToken).ConfigureAwait(false);
        }
        catch (PushQueueException e)
        {
            outcome = new PutOutcome { Failure = e };
        }

        await DeleteAsync(db, outcome.Put, cancellationToken).ConfigureAwait(false);
        foreach (var (row, reason) in outcome.Refused)
        {
            await SetAsideAsync(db, row, reason, cancellationToken).ConfigureAwait(false);
        }

        if (outcome.Failure is { } failure)
        {
            return Wait(queue, failure);
        }

        _ = _waiting.Remove(queue);
        return isFull ? QueueTurn.More : QueueTurn.Done;
    }

    private QueueTurn Wait(string queue, PushQueueException failure)
    {
        if (PutFailures.Of(failure) == PutFailure.Away)
        {
            Failure = failure;
            return QueueTurn.Away;
        }

        var failures = 1;
        if (_waiting.TryGetValue(queue, out var wait))
        {
            failures = wait.Failures + 1;
        }
        else
        {
            OutboxLog.QueueWaits(logger, queue, failure.Detail);
        }

        _waiting[queue] = new QueueWait(failures, time.GetTimestamp(), Backoff.After(failures));
        return QueueTurn.Done;
    }

    private async Task<(List<OutboxMessage> Rows, bool IsFull)> ReadAsync(DbContext db, string queue, CancellationToken cancellationToken)
    {
        var rows = new List<OutboxMessage>();
        var bytes = 0L;
        var page = db.Set<OutboxMessage>().AsNoTracking()
            .Where(row => !row.IsSetAside && row.Queue == queue)
            .OrderBy(static row => row.Number).ThenBy(static row => row.Id)
            .Take(options.BatchMessages);
        await foreach (var row in page.AsAsyncEnumerable().WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            bytes += row.Body.Length;
            if (rows.Count > 0 && bytes > options.BatchBytes)
            {
                return (rows, IsFull: true);
            }

            rows.Add(row);
        }

        return (rows, rows.Count == options.BatchMessages);
    }

    private async Task DeleteAsync(DbContext db, List<Guid> ids, CancellationToken cancellationToken)
    {
        if (ids.Count > 0)
        {
            _ = await db.Set<OutboxMessage>().Where(row => ids.Contains(row.Id)).ExecuteDeleteAsync(cancellationToken)
                .ConfigureAwait(false);
            meter.Forwarded.Add(ids.Count, meter.Context);
        }
    }

    private async Task SetAsideAsync(DbContext db, OutboxMessage refused, string reason, CancellationToken cancellationToken)
    {
        var kept = reason.Length > ReasonMax ? reason[..ReasonMax] : reason;
        _ = await db.Set<OutboxMessage>().Where(row => row.Id == refused.Id)
            .ExecuteUpdateAsync(
                set => set.SetProperty(row => row.IsSetAside, true).SetProperty(row => row.Reason, kept), cancellationToken)
            .ConfigureAwait(false);
        meter.Refused.Add(1, meter.Context);
        OutboxLog.SetAside(logger, refused.Queue, refused.MessageId, reason);
    }

    /// <summary>The wait of a queue that takes nothing.</summary>
    private sealed record QueueWait(int Failures, long Since, TimeSpan Duration);
}
