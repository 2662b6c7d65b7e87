using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace PushQueue.EntityFrameworkCore;

/// <summary>Fails while a message waits for too long; degraded while the outbox has refused messages.</summary>
internal sealed class OutboxHealthCheck<TContext>(OutboxMonitor<TContext> monitor, TimeSpan ageMax) : IHealthCheck
    where TContext : DbContext
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = await monitor.GetStateAsync(cancellationToken).ConfigureAwait(false);
        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["waiting"] = state.Waiting,
            ["oldestAgeSeconds"] = state.OldestAge.TotalSeconds,
            ["setAside"] = state.SetAside,
        };
        return state.OldestAge > ageMax
            ? new HealthCheckResult(
                context.Registration.FailureStatus,
                $"{state.Waiting} messages wait in the outbox, the oldest for {state.OldestAge.TotalSeconds:0} s.", data: data)
            : state.SetAside > 0
                ? HealthCheckResult.Degraded($"The server refused {state.SetAside} messages of the outbox.", data: data)
                : HealthCheckResult.Healthy($"{state.Waiting} messages wait in the outbox.", data);
    }
}
