using Microsoft.AspNetCore.Routing;
using PushQueue.Transports.Rest;
using PushQueue.Transports.SignalR;
using PushQueue.Transports.Streaming;

namespace PushQueue;

/// <summary>Maps the queue into an application.</summary>
public static class PushQueueEndpointExtensions
{
    /// <summary>Maps the native API: REST, the JSON protocol, the streams and the hub.</summary>
    public static IEndpointRouteBuilder MapPushQueue(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapRest().MapStreams().MapPushHub();

    /// <summary>
    /// Answers every path that nothing else serves with a problem instead of an empty 404. For a server that is all PushQueue's;
    /// an application with pages of its own leaves it out.
    /// </summary>
    public static IEndpointRouteBuilder MapPushQueueNotFound(this IEndpointRouteBuilder endpoints) => endpoints.MapNotFound();
}
