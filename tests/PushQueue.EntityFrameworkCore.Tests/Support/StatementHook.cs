using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>Something before or after each statement that contains a text.</summary>
internal sealed class StatementHook(string text, Func<CancellationToken, Task>? before, Func<CancellationToken, Task>? after)
    : DbCommandInterceptor
{
    public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        if (before is not null && command.CommandText.Contains(text, StringComparison.Ordinal))
        {
            await before(cancellationToken);
        }

        return result;
    }

    public override async ValueTask<int> NonQueryExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        if (after is not null && command.CommandText.Contains(text, StringComparison.Ordinal))
        {
            await after(cancellationToken);
        }

        return result;
    }
}
