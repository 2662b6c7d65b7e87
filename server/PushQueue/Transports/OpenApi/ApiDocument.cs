using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.OpenApi;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>
/// The OpenAPI document of the native API, which ASP.NET Core makes from the operations of the endpoints and from the contracts.
/// </summary>
internal static class ApiDocument
{
    /// <summary>Keeps these operations apart from those of an application that has a document of its own.</summary>
    public const string Name = "pushqueue";

    public static readonly string[] Tags = ["messages", "leases", "queues", "streams", "workers", "commands", "node"];

    private const string Suffix = "Contract";

    public static IServiceCollection AddApiDocument(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Transient<IApiDescriptionProvider, ApiDescriptions>());
        services.ConfigureHttpJsonOptions(
            static options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ContractContext.Default));
        return services.AddOpenApi(Name, static options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.ShouldInclude = static description => description.GroupName == Name;
            options.CreateSchemaReferenceId = static type =>
                OpenApiOptions.CreateDefaultSchemaReferenceId(type) is { } id && id.EndsWith(Suffix, StringComparison.Ordinal)
                    ? id[..^Suffix.Length]
                    : null;
            options.AddSchemaTransformer<ContractSchemas>();
            options.AddOperationTransformer<ApiOperationTransformer>();
            options.AddDocumentTransformer(static (document, _, _) =>
            {
                Complete(document);
                return Task.CompletedTask;
            });
        });
    }

    private static void Complete(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "PushQueue",
            Version = "1",
            Summary = "A message queue that pushes.",
            Description = "The native HTTP API. Unknown query parameters are refused. Every error is a problem with a stable type and a "
                + "sentence that "
                + "says what to do. The hub for SignalR clients is at /hub; docs/protocol.md describes it, the frames of streams and the "
                    + "commands.",
        };
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Tags = new HashSet<OpenApiTag>(Tags.Select(static tag => new OpenApiTag { Name = tag }));
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            ["key"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = "bearer",
                    Description = "A key of the access file, or a token; needed only if the server asks for one.",
            },
            ["basic"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "basic",
                Description = "Any name, and the key as password." },
            ["queryKey"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Query, Name = "access_token",
                    Description = "For browser requests that cannot set headers.",
            },
        };
        document.Security = [new OpenApiSecurityRequirement(),
            .. new[] { "key", "basic", "queryKey" }.Select(scheme => new OpenApiSecurityRequirement
        {
            [new OpenApiSecuritySchemeReference(scheme, document)] = [],
        })];
    }
}
