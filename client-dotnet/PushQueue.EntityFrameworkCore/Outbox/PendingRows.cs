using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// The rows that a context has got by <c>PutLater</c> and not saved yet, so that a save without any costs one look-up. Used by one thread
/// at a time, like the context.
/// </summary>
internal sealed class PendingRows
{
    private static readonly ConditionalWeakTable<DbContext, PendingRows> OfContexts = [];

    private readonly List<OutboxMessage> _rows = [];

    /// <summary>Rows were saved in a transaction that is still open.</summary>
    public bool AwaitsCommit { get; set; }

    public static PendingRows Of(DbContext context) => OfContexts.GetOrCreateValue(context);

    public static PendingRows? Find(DbContext? context) =>
        context is not null && OfContexts.TryGetValue(context, out var pending) ? pending : null;

    public void Add(OutboxMessage row) => _rows.Add(row);

    /// <summary>The rows that the next save inserts, in the order of their <c>PutLater</c>.</summary>
    public IReadOnlyList<OutboxMessage> Added(DbContext context)
    {
        // A program may have dropped some, and a pooled context is used again.
        _ = _rows.RemoveAll(row => context.Entry(row).State != EntityState.Added);
        return _rows;
    }

    /// <summary>The rows are saved. True where there were any.</summary>
    public bool Saved()
    {
        var any = _rows.Count > 0;
        _rows.Clear();
        return any;
    }
}
