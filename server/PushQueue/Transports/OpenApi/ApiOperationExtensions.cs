using Microsoft.AspNetCore.Builder;

namespace PushQueue.Transports.OpenApi;

internal static class ApiOperationExtensions
{
    /// <summary>Describes the operation of an endpoint that serves one method.</summary>
    public static T Describe<T>(this T endpoint, string method, ApiOperation operation)
        where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new ApiOperations(new Dictionary<string, ApiOperation>(StringComparer.Ordinal) { [method] = operation }));
}
