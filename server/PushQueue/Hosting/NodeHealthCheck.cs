using Microsoft.Extensions.Diagnostics.HealthChecks;
using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Hosting;

/// <summary>
/// Whether the node can serve: its store can be used, and it neither stops nor drains. The same as <c>/readyz</c>, for the host's own
/// checks.
/// </summary>
internal sealed class NodeHealthCheck(IStoreLifecycle store, MessageBroker broker, NodeDrain drain) : IHealthCheck
{
    public const string Name = "pushqueue";

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var reason = broker.Draining || drain.HasBegun ? "The node is stopping." : store.UnavailableReason;
        return Task.FromResult(
            reason is null ? HealthCheckResult.Healthy() : new HealthCheckResult(context.Registration.FailureStatus, reason));
    }
}
