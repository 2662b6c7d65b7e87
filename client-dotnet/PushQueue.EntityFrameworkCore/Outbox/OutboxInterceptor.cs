using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// Numbers rows when they are saved, and wakes the forwarder when they are committed. A transaction that began after another one was
/// committed gets greater numbers, whatever the clocks of the two applications say: its save reads the greatest number that waits.
/// </summary>
internal sealed class OutboxInterceptor<TContext>(OutboxSignal<TContext> signal, TimeProvider time)
    : SaveChangesInterceptor, IDbTransactionInterceptor
{
    private readonly OutboxClock _clock = new();

    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        if (PendingRows.Find(eventData.Context)?.Added(eventData.Context!) is { Count: > 0 } rows)
        {
            foreach (var queue in rows.Select(static row => row.Queue).Distinct(StringComparer.Ordinal))
            {
                Number(rows, queue, Numbers(eventData.Context!, queue).Max());
            }
        }

        return result;
    }

    public override async ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        if (PendingRows.Find(eventData.Context)?.Added(eventData.Context!) is { Count: > 0 } rows)
        {
            foreach (var queue in rows.Select(static row => row.Queue).Distinct(StringComparer.Ordinal))
            {
                Number(rows, queue, await Numbers(eventData.Context!, queue).MaxAsync(cancellationToken).ConfigureAwait(false));
            }
        }

        return result;
    }

    public override int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        Saved(eventData.Context);
        return result;
    }

    public override ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        Saved(eventData.Context);
        return ValueTask.FromResult(result);
    }

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => Committed(eventData.Context);

    public Task TransactionCommittedAsync(
        DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Committed(eventData.Context);
        return Task.CompletedTask;
    }

    private static IQueryable<long?> Numbers(DbContext context, string queue) =>
        context.Set<OutboxMessage>().Where(row => !row.IsSetAside && row.Queue == queue).Select(static row => (long?)row.Number);

    private void Number(IReadOnlyList<OutboxMessage> rows, string queue, long? greatest)
    {
        var now = time.GetUtcNow();
        foreach (var row in rows)
        {
            if (row.Queue == queue)
            {
                row.Number = _clock.Next(now, after: greatest ?? 0);
            }
        }
    }

    private void Saved(DbContext? context)
    {
        if (PendingRows.Find(context) is not { } pending || !pending.Saved())
        {
            return;
        }

        if (context!.Database.CurrentTransaction is null)
        {
            signal.Set();
        }
        else
        {
            pending.AwaitsCommit = true;
        }
    }

    private void Committed(DbContext? context)
    {
        if (PendingRows.Find(context) is { AwaitsCommit: true } pending)
        {
            pending.AwaitsCommit = false;
            signal.Set();
        }
    }
}
