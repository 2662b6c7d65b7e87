using System.Security.Claims;
using Microsoft.Extensions.Options;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>Makes the <see cref="ConnectionCaller"/> of each connection.</summary>
internal sealed class ConnectionCallers(AccessControl access, IOptions<DeliveryOptions> options, LimitHits hits, TimeProvider time)
{
    /// <param name="user">The user of the request that began the connection.</param>
    public ConnectionCaller Of(ClaimsPrincipal? user) =>
        new(access, access.CallerOf(user), options.Value.CommandsPerSecondMax, hits, time);
}
