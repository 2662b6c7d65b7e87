using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Transports.Rest;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

public sealed class OpenApiTests
{
    [Fact]
    public async Task The_document_has_every_path_and_method_of_the_native_api_and_no_other()
    {
        await using var server = await PushQueueServer.StartAsync();

        var document = (await server.GetAsync("/openapi/v1.json")).Json;

        var documented = document.GetProperty("paths").EnumerateObject().SelectMany(static path => path.Value.EnumerateObject()
            .Where(static item => item.Name != "parameters")
            .Select(item => $"{item.Name.ToUpperInvariant()} {path.Name}"));
        Assert.Equal(Routes(server).Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_path_parameter_is_declared_and_every_operation_has_its_own_id()
    {
        await using var server = await PushQueueServer.StartAsync();

        var document = (await server.GetAsync("/openapi/v1.json")).Json;

        var ids = document.GetProperty("paths").EnumerateObject().SelectMany(static path => path.Value.EnumerateObject())
            .Where(static item => item.Name != "parameters")
            .Select(static item => item.Value.GetProperty("operationId").GetString())
            .ToList();
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            var placeholders = path.Name.Count(static c => c == '{');
            var declared = path.Value.TryGetProperty("parameters", out var parameters) ? parameters.GetArrayLength() : 0;
            Assert.True(placeholders == declared, $"{path.Name} declares {declared} path parameters");
        }
    }

    /// <summary>Dialects and the hub have documents of their own; the last route answers what is not there.</summary>
    private static IEnumerable<string> Routes(PushQueueServer server)
    {
        var endpoints = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToList();
        foreach (var endpoint in endpoints)
        {
            var pattern = endpoint.RoutePattern.RawText!;
            if (pattern.StartsWith("/hub", StringComparison.Ordinal)
                || PushQueueDialects.Names.Any(
                    dialect => pattern.StartsWith($"/{dialect}/", StringComparison.Ordinal) || pattern == $"/{dialect}"))
            {
                continue;
            }

            var methods =
                endpoint.Metadata.GetMetadata<RouteMethods>()?.Methods ?? endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [];
            foreach (var method in methods.Where(static method => method != HttpMethods.Connect))
            {
                yield return $"{method} {pattern}";
            }
        }
    }
}
