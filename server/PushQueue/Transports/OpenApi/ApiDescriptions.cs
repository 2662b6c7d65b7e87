using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Routing;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>
/// Describes the operations of the native API to ASP.NET Core, which cannot see them: a path serves all methods by one request delegate, so
/// that a wrong method gets a problem.
/// </summary>
internal sealed class ApiDescriptions(EndpointDataSource endpoints) : IApiDescriptionProvider
{
    /// <inheritdoc/>
    public int Order => 0;

    /// <inheritdoc/>
    public void OnProvidersExecuting(ApiDescriptionProviderContext context)
    {
        foreach (var endpoint in endpoints.Endpoints.OfType<RouteEndpoint>())
        {
            foreach (var (method, operation) in endpoint.Metadata.GetMetadata<ApiOperations>()?.ByMethod
                ?? new Dictionary<string, ApiOperation>())
            {
                context.Results.Add(Describe(endpoint, method, operation));
            }
        }
    }

    /// <inheritdoc/>
    public void OnProvidersExecuted(ApiDescriptionProviderContext context)
    {
    }

    private static ApiDescription Describe(RouteEndpoint endpoint, string method, ApiOperation operation)
    {
        var description = new ApiDescription
        {
            HttpMethod = method,
            GroupName = ApiDocument.Name,
            RelativePath = endpoint.RoutePattern.RawText!.TrimStart('/'),
            ActionDescriptor = new ActionDescriptor
            {
                DisplayName = operation.Id,
                RouteValues = { ["controller"] = operation.Tag },
                EndpointMetadata = [operation],
            },
        };
        foreach (var parameter in endpoint.RoutePattern.Parameters)
        {
            // ApiOperationTransformer knows its values. A text would need the metadata of a model binder, which this path has none of.
            description.ParameterDescriptions.Add(new ApiParameterDescription
            {
                Name = parameter.Name,
                Source = BindingSource.Path,
                Type = typeof(object),
                IsRequired = true,
                ParameterDescriptor = new ParameterDescriptor { Name = parameter.Name, ParameterType = typeof(object) },
            });
        }

        if (operation.Body is { Contract: { } contract } body)
        {
            description.ParameterDescriptions.Add(new ApiParameterDescription
            {
                Name = "body",
                Source = BindingSource.Body,
                Type = contract,
                IsRequired = body.Required,
                ParameterDescriptor = new ParameterDescriptor { Name = "body", ParameterType = contract },
            });
            foreach (var mediaType in body.MediaTypes)
            {
                description.SupportedRequestFormats.Add(new ApiRequestFormat { MediaType = mediaType });
            }
        }

        foreach (var answer in operation.Answers)
        {
            description.SupportedResponseTypes.Add(new ApiResponseType
            {
                StatusCode = answer.Status,
                Type = answer.Contract ?? typeof(void),
                ApiResponseFormats = answer.Contract is null
                    ? []
                    : [.. answer.MediaTypes.Select(static type => new ApiResponseFormat { MediaType = type })],
            });
        }

        description.SupportedResponseTypes.Add(new ApiResponseType
        {
            IsDefaultResponse = true,
            Type = typeof(ProblemContract),
            ApiResponseFormats = [new ApiResponseFormat { MediaType = RestAnswers.ProblemJsonType }],
        });
        return description;
    }
}
