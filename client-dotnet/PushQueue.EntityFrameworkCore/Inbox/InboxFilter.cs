using Microsoft.EntityFrameworkCore;
using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// Stands around a handler: opens a transaction in the context of the message's scope, writes the message's id, runs the handler, saves
/// and commits. A message whose id is there already is done. The id is written first, so that a second attempt at the same time waits for
/// the first one.
/// </summary>
internal sealed class InboxFilter<TContext>(TContext db, TimeProvider time) : IMessageFilter
    where TContext : DbContext
{
    public Task InvokeAsync(MessageContext context, MessageDelegate next)
    {
        InboxModel.EnsureIn(db);
        return new AttemptStrategy(db).ExecuteAsync(
            (Filter: this, context, next),
            static (_, state, cancellationToken) => state.Filter.WorkAsync(state.context, state.next, cancellationToken),
            verifySucceeded: null,
            context.CancellationToken);
    }

    private async Task<bool> WorkAsync(MessageContext context, MessageDelegate next, CancellationToken cancellationToken)
    {
        var transaction = await db.Database.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            if (await IsDoneAsync(context, cancellationToken).ConfigureAwait(false)
                || !await TryWriteAsync(context, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }

            await next(context).ConfigureAwait(false);

            // The work is done. To give up now would have it done again.
            _ = await db.SaveChangesAsync(CancellationToken.None).ConfigureAwait(false);
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
            return true;
        }
    }

    private Task<bool> IsDoneAsync(MessageContext context, CancellationToken cancellationToken) => db.Set<InboxMessage>()
        .AnyAsync(row => row.Queue == context.Queue && row.MessageId == context.Message.Id, cancellationToken);

    /// <summary>False where another attempt has committed the same id meanwhile.</summary>
    private async Task<bool> TryWriteAsync(MessageContext context, CancellationToken cancellationToken)
    {
        var row = new InboxMessage { Queue = context.Queue, MessageId = context.Message.Id, HandledAt = time.GetUtcNow() };
        var entry = db.Add(row);
        try
        {
            _ = await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (DbUpdateException)
        {
            // PostgreSQL ends a transaction at its first error, so the question needs another one.
            await db.Database.CurrentTransaction!.RollbackAsync(cancellationToken).ConfigureAwait(false);
            if (await IsDoneAsync(context, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }

            throw;
        }
        finally
        {
            // The handler does not find it in its context.
            entry.State = EntityState.Detached;
        }

        return true;
    }
}
