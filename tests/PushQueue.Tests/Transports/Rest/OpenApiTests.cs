using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Transports.Rest;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

public sealed class OpenApiTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string SnapshotPath =>
        Path.Combine(RepositoryRoot.Path, "tests", "PushQueue.Tests", "Transports", "Rest", "openapi.json");

    [Fact]
    public async Task The_document_has_every_path_and_method_of_the_native_api_and_no_other()
    {
        await using var server = await PushQueueServer.StartAsync();

        var document = (await server.GetAsync("/openapi/v1.json")).Json;

        Assert.Equal(Routes(server).Order(StringComparer.Ordinal), Operations(document).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_document_is_the_one_of_the_snapshot()
    {
        await using var server = await PushQueueServer.StartAsync();

        var text = JsonSerializer.Serialize((await server.GetAsync("/openapi/v1.json")).Json, Indented) + "\n";

        if (Environment.GetEnvironmentVariable("PUSHQUEUE_RECORD_ANSWERS") is not null)
        {
            await File.WriteAllTextAsync(SnapshotPath, text);
        }

        // Set PUSHQUEUE_RECORD_ANSWERS=1 once to record an intended change.
        Assert.Equal(await File.ReadAllTextAsync(SnapshotPath), text);
    }

    [Fact]
    public async Task Real_answers_of_every_operation_are_as_the_document_says()
    {
        await using var server = await PushQueueServer.StartAsync();
        var document = (await server.GetAsync("/openapi/v1.json")).Json;
        var check = new ApiSchemaCheck(document);

        var steps = await new ApiTour(server).RunAsync();

        Assert.Empty(steps.SelectMany(step => Find(document, check, step)));
        Assert.Empty(Operations(document).Except(steps.Select(static step => $"{step.Method} {step.Pattern}"), StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_path_parameter_is_declared_and_every_operation_has_its_own_id()
    {
        await using var server = await PushQueueServer.StartAsync();

        var document = (await server.GetAsync("/openapi/v1.json")).Json;

        var operations = document.GetProperty("paths").EnumerateObject()
            .SelectMany(static path => path.Value.EnumerateObject().Select(method => (Path: path.Name, Operation: method.Value)))
            .ToList();
        Assert.Equal(
            operations.Count, operations.Select(static found => found.Operation.GetProperty("operationId").GetString())
                .Distinct(StringComparer.Ordinal).Count());
        foreach (var (path, operation) in operations)
        {
            var declared = operation.TryGetProperty("parameters", out var parameters)
                ? parameters.EnumerateArray().Where(static parameter => parameter.GetProperty("in").GetString() == "path")
                : [];
            Assert.Equal(path.Count(static c => c == '{'), declared.Count());
        }
    }

    private static IEnumerable<string> Find(JsonElement document, ApiSchemaCheck check, ApiTour.Step step)
    {
        var place = $"{step.Method} {step.Target} ({step.Answer.Status.ToString(CultureInfo.InvariantCulture)})";
        var responses = document.GetProperty("paths").GetProperty(step.Pattern).GetProperty(step.Method.ToLowerInvariant())
            .GetProperty("responses");
        var status = step.Answer.Status.ToString(CultureInfo.InvariantCulture);
        if (!responses.TryGetProperty(status, out var response)
            && (step.Answer.Status < 400 || !responses.TryGetProperty("default", out response)))
        {
            return [$"{place} has a status that the document does not name"];
        }

        var mediaType = step.Answer.ContentType.Split(';')[0];
        if (mediaType.Length == 0)
        {
            return response.TryGetProperty("content", out _) ? [$"{place} has no body"] : [];
        }

        if (!response.TryGetProperty("content", out var content)
            || (!content.TryGetProperty(mediaType, out var media) && !content.TryGetProperty("*/*", out media)))
        {
            return [$"{place} has the media type {mediaType}, which the document does not name"];
        }

        return mediaType.EndsWith("json", StringComparison.Ordinal) && step.Answer.Text.Length > 0
            && media.TryGetProperty("schema", out var schema)
            ? check.Find(schema, step.Answer.Json, place)
            : [];
    }

    private static IEnumerable<string> Operations(JsonElement document) => document.GetProperty("paths").EnumerateObject()
        .SelectMany(static path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"));

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
                endpoint.Metadata.GetMetadata<RouteMethods>()?.Methods ?? endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods
                    ?? [];
            foreach (var method in methods.Where(static method => method != HttpMethods.Connect))
            {
                yield return $"{method} {pattern}";
            }
        }
    }
}
