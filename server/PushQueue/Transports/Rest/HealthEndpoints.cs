using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Rest;

/// <summary>/healthz: the process is alive; /readyz: it can serve.</summary>
internal sealed class HealthEndpoints(IStoreLifecycle store, MessageBroker broker, NodeDrain drain)
{
    public void Map(RestRoutes routes)
    {
        routes.Map("/healthz", ("GET", AccessRule.Public, AliveAsync, NodeOperations.Alive));
        routes.Map("/readyz", ("GET", AccessRule.Public, ReadyAsync, NodeOperations.Ready));
    }

    private static async ValueTask<Problem?> AliveAsync(HttpContext context)
    {
        await RestAnswers.BytesAsync(context, StatusCodes.Status200OK, ContentTypes.Text, "ok\n"u8.ToArray());
        return null;
    }

    private async ValueTask<Problem?> ReadyAsync(HttpContext context)
    {
        if (broker.Draining || drain.HasBegun)
        {
            return new Problem(ProblemType.ShuttingDown);
        }

        return store.UnavailableReason is { } reason
            ? new Problem(ProblemType.StoreUnavailable, reason)
            : await AliveAsync(context);
    }
}
