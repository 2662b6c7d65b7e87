using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace PushQueue.EntityFrameworkCore;

/// <summary>Deletes the old rows of an inbox. Any number of applications may do so at once.</summary>
internal sealed class InboxCleaner<TContext>(IServiceProvider services, InboxOptions options) : BackgroundService
    where TContext : DbContext
{
    // Short statements, so that handlers do not wait for a long one.
    private const int RowsOfOne = 1000;

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly TimeProvider _time = services.GetService<TimeProvider>() ?? TimeProvider.System;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var logger = services.GetService<ILoggerFactory>()?.CreateLogger("PushQueue.Inbox") ?? NullLogger.Instance;
        var interval = options.Retention / 10 < Longest ? options.Retention / 10 : Longest;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(interval, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                while (!stoppingToken.IsCancellationRequested && await CleanAsync(stoppingToken).ConfigureAwait(false) >= RowsOfOne)
                {
                    // There may be more.
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                OutboxLog.NotCleaned(logger, e, typeof(TContext).Name);
            }
        }
    }

    /// <summary>Deletes some old rows. Returns how many.</summary>
    private async Task<int> CleanAsync(CancellationToken cancellationToken)
    {
        var scope = services.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            var before = _time.GetUtcNow() - options.Retention;
            var rows = scope.ServiceProvider.GetRequiredService<TContext>().Set<InboxMessage>();
            var last = await rows.Where(row => row.HandledAt < before).OrderBy(static row => row.HandledAt)
                .Select(static row => (DateTimeOffset?)row.HandledAt).Skip(RowsOfOne - 1).FirstOrDefaultAsync(cancellationToken)
                .ConfigureAwait(false);
            return last is { } until
                ? await rows.Where(row => row.HandledAt <= until).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false)
                : await rows.Where(row => row.HandledAt < before).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
