using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PushQueue.Security;
using PushQueue.Transports;

namespace PushQueue.Dialects;

/// <summary>Mounts dialects.</summary>
internal static class DialectExtensions
{
    /// <summary>Maps each dialect under its prefix. A path that the dialect does not serve there gets its own 404.</summary>
    public static IEndpointRouteBuilder MapDialects(this IEndpointRouteBuilder endpoints, IEnumerable<Dialect> dialects)
    {
        foreach (var dialect in dialects)
        {
            var group = endpoints.MapGroup("/" + dialect.Name)
                .WithMetadata(new RefusalForm((context, problem) => dialect.RefuseAsync(context, problem.Type.Status, problem.Sentence)));
            dialect.Map(group);

            // Before the host's own last route, after all others.
            group.Map(
                    "/{**path}",
                    context => dialect.RefuseAsync(context, StatusCodes.Status404NotFound, "Nothing is served under this path."))
                .WithOrder(int.MaxValue - 1)
                .RequireAccess(Security.AccessRule.Public);
        }

        return endpoints;
    }
}
