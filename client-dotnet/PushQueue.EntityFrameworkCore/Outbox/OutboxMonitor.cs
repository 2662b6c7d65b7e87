using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace PushQueue.EntityFrameworkCore;

/// <summary>Counts the messages of an outbox. A service of the host.</summary>
/// <typeparam name="TContext">The context.</typeparam>
public sealed class OutboxMonitor<TContext>
    where TContext : DbContext
{
    private readonly IServiceScopeFactory _scopes;
    private readonly TimeProvider _time;

    internal OutboxMonitor(IServiceScopeFactory scopes, TimeProvider time)
    {
        _scopes = scopes;
        _time = time;
    }

    /// <summary>Counts now, in the database.</summary>
    /// <param name="cancellationToken">Ends the queries.</param>
    public async Task<OutboxState> GetStateAsync(CancellationToken cancellationToken = default)
    {
        var scope = _scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            var rows = scope.ServiceProvider.GetRequiredService<TContext>().Set<OutboxMessage>();
            var waiting = await rows.LongCountAsync(static row => !row.IsSetAside, cancellationToken).ConfigureAwait(false);
            var setAside = await rows.LongCountAsync(static row => row.IsSetAside, cancellationToken).ConfigureAwait(false);
            var oldest = await rows.Where(static row => !row.IsSetAside)
                .MinAsync(static row => (DateTimeOffset?)row.PutAt, cancellationToken).ConfigureAwait(false);
            var age = oldest is { } at ? _time.GetUtcNow() - at : TimeSpan.Zero;
            return new OutboxState(waiting, age > TimeSpan.Zero ? age : TimeSpan.Zero, setAside);
        }
    }
}
