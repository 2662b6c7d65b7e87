using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Security;
using PushQueue.SystemTests.Support;
using PushQueue.Transports.Commands;
using PushQueue.Transports.SignalR;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>
/// The server's own tables: endpoints, commands, hub methods, and the words of its code. So the fuzzer covers a new route, command, method
/// or option as soon as it exists.
/// </summary>
internal sealed partial class FuzzTables
{
    private FuzzTables(IReadOnlyList<FuzzRoute> routes, IReadOnlyList<string> commands, IReadOnlyList<string> commandFields)
    {
        Routes = routes;
        Commands = commands;
        CommandFields = commandFields;
    }

    public IReadOnlyList<FuzzRoute> Routes { get; }

    /// <summary>The words of the JSON protocol.</summary>
    public IReadOnlyList<string> Commands { get; }

    /// <summary>The fields of commands.</summary>
    public IReadOnlyList<string> CommandFields { get; }

    /// <summary>The methods of the hub.</summary>
    public IReadOnlyList<MethodInfo> HubMethods { get; } = typeof(PushHub)
        .GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly);

    /// <summary>Every short word that the server's code contains: names of options, fields, headers and values among them.</summary>
    public IReadOnlyList<string> Words { get; } = WordsOf(typeof(PushHub).Assembly.Location);

    /// <summary>Builds the application without starting it.</summary>
    public static async Task<FuzzTables> ReadAsync()
    {
        using var data = new TemporaryDirectory();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddPushQueue(options => options.Storage.DataDirectory = data.Path);
        await using var app = builder.Build();
        app.MapPushQueue();
        app.MapPushQueueNotFound();
        var openApi = OpenApi();
        var routes = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .GroupBy(endpoint => endpoint.RoutePattern.RawText!, StringComparer.Ordinal)
            .Select(group => RouteOf(group.Key, [.. group], openApi))
            .OrderBy(route => route.Pattern, StringComparer.Ordinal)
            .ToList();
        var words = app.Services.GetRequiredService<CommandExecutor>().Words.Split(", ");
        return new FuzzTables(
            routes,
            [.. words, "add", "get", "del", "subscribe", "unsubscribe"],
            [.. FieldsOf(openApi, openApi.GetProperty("components").GetProperty("schemas").GetProperty("Command")).Distinct()]);
    }

    private static FuzzRoute RouteOf(string pattern, RouteEndpoint[] endpoints, JsonElement openApi)
    {
        var methods = endpoints.SelectMany(endpoint =>
                (endpoint.Metadata.OfType<RouteAccess>().LastOrDefault()?.Rules.Select(rule => rule.Method).OfType<string>() ?? [])
                .Concat(endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []))
            .Distinct(StringComparer.Ordinal).ToList();
        if (methods.Count == 0)
        {
            methods = ["GET", "POST"];
        }

        var options = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var fields = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if (openApi.GetProperty("paths").TryGetProperty(pattern, out var path))
        {
            foreach (var operation in path.EnumerateObject().Where(one => one.Value.ValueKind == JsonValueKind.Object))
            {
                var method = operation.Name.ToUpperInvariant();
                options[method] = [.. QueryParameters(openApi, operation.Value)];
                if (operation.Value.TryGetProperty("requestBody", out var body))
                {
                    fields[method] = [.. FieldsOf(openApi, body).Distinct()];
                }
            }
        }

        return new FuzzRoute(pattern, [.. endpoints[0].RoutePattern.PathSegments.Select(SegmentOf)], methods, options, fields);
    }

    private static string SegmentOf(RoutePatternPathSegment segment) => string.Concat(segment.Parts.Select(part => part switch
    {
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
        _ => "",
    }));

    private static JsonElement OpenApi()
    {
        // The document that the server makes; a test of its own keeps this copy equal to it.
        var text = File.ReadAllText(Repository.PathOf(Path.Combine("tests", "PushQueue.Tests", "Transports", "Rest", "openapi.json")));
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static IEnumerable<string> QueryParameters(JsonElement openApi, JsonElement operation) =>
        operation.TryGetProperty("parameters", out var parameters)
            ? parameters.EnumerateArray().Select(parameter => Resolve(openApi, parameter))
                .Where(parameter => parameter.GetProperty("in").GetString() == "query")
                .Select(parameter => parameter.GetProperty("name").GetString()!)
                .Distinct()
            : [];

    /// <summary>The names of all fields in a schema, wherever it nests them.</summary>
    private static IEnumerable<string> FieldsOf(JsonElement openApi, JsonElement schema, int depth = 0)
    {
        schema = Resolve(openApi, schema);
        if (depth > 10)
        {
            yield break;
        }

        if (schema.ValueKind == JsonValueKind.Array)
        {
            foreach (var field in schema.EnumerateArray().SelectMany(one => FieldsOf(openApi, one, depth + 1)))
            {
                yield return field;
            }
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            yield break;
        }

        if (schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in properties.EnumerateObject())
            {
                yield return property.Name;
            }
        }

        foreach (var field in schema.EnumerateObject().SelectMany(one => FieldsOf(openApi, one.Value, depth + 1)))
        {
            yield return field;
        }
    }

    private static JsonElement Resolve(JsonElement openApi, JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("$ref", out var reference))
        {
            return schema;
        }

        return reference.GetString()!.Split('/').Skip(1).Aggregate(openApi, (at, name) => at.GetProperty(name));
    }

    private static List<string> WordsOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var words = new List<string>();
        for (var handle = MetadataTokens.UserStringHandle(1); !handle.IsNil; handle = metadata.GetNextHandle(handle))
        {
            if (metadata.GetUserString(handle) is var text && Word().IsMatch(text))
            {
                words.Add(text);
            }
        }

        return [.. words.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_.:/-]{0,30}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Word();
}
