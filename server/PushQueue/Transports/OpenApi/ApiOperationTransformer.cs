using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace PushQueue.Transports.OpenApi;

/// <summary>
/// Adds to an operation of the document what its <see cref="ApiOperation"/> says: parameters, texts, and bodies that are not JSON.
/// </summary>
internal sealed class ApiOperationTransformer : IOpenApiOperationTransformer
{
    private static readonly Dictionary<string, ApiParameter> PathParameters = new(StringComparer.Ordinal)
    {
        ["queue"] = new("queue", "1 to 255 bytes of UTF-8, no control characters, no '/'.", ApiSchema.TextOf(1, 255)),
        ["id"] = new("id", "1 to 255 bytes of UTF-8, percent-encoded ('/' as %2F).", ApiSchema.TextOf(1, 255)),
        ["number"] = new("number", "The consumer's id.", ApiSchema.Text),
    };

    /// <inheritdoc/>
    public async Task TransformAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var described = context.Description.ActionDescriptor.EndpointMetadata.OfType<ApiOperation>().Single();
        operation.OperationId = described.Id;
        operation.Summary = described.Summary;
        operation.Description = described.Description;
        var path = operation.Parameters?.Select(static parameter => parameter.Name!) ?? [];
        operation.Parameters =
        [
            .. path.Select(
                static name => Build(PathParameters.GetValueOrDefault(name, new(name, "", ApiSchema.Text)), ParameterLocation.Path)),
            .. described.Parameters.Select(static parameter =>
                Build(parameter, parameter.IsHeader ? ParameterLocation.Header : ParameterLocation.Query)),
        ];
        if (described.IsPublic)
        {
            operation.Security = [];
        }

        CompleteBody(operation, described.Body);
        foreach (var answer in described.Answers)
        {
            CompleteAnswer(operation, answer);
        }

        operation.Responses!["default"].Description = "What went wrong and what to do.";
        if (described.Error is { } error)
        {
            var content = ((OpenApiResponse)operation.Responses!["default"]).Content!;
            content[RestAnswers.JsonType] = new OpenApiMediaType { Schema = await context.GetOrCreateSchemaAsync(
                error, null, cancellationToken) };
        }
    }

    private static OpenApiParameter Build(ApiParameter parameter, ParameterLocation location) => new()
    {
        Name = parameter.Name,
        In = location,
        Description = parameter.Description,
        Required = parameter.Required || location == ParameterLocation.Path,
        Schema = parameter.Schema.Build(),
    };

    private static void CompleteBody(OpenApiOperation operation, ApiBody? body)
    {
        if (body is null)
        {
            return;
        }

        var request = operation.RequestBody as OpenApiRequestBody ?? new OpenApiRequestBody();
        operation.RequestBody = request;
        request.Description = body.Description;
        request.Required = body.Required;
        request.Content ??= new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal);
        if (body.Contract is null)
        {
            foreach (var mediaType in body.MediaTypes)
            {
                request.Content[mediaType] = new OpenApiMediaType { Schema = new OpenApiSchema() };
            }
        }

        foreach (var content in request.Content.Values.Where(_ => body.OrAny))
        {
            if (content.Schema is OpenApiSchema { Items: { } items } list)
            {
                list.Items = new OpenApiSchema { AnyOf = [items, new OpenApiSchema()] };
            }
        }

        if (body.Lines is { } lines)
        {
            request.Content[lines] = new OpenApiMediaType { Schema = ApiSchema.Text.Build() };
        }
    }

    private static void CompleteAnswer(OpenApiOperation operation, ApiAnswer answer)
    {
        var response = (OpenApiResponse)operation.Responses![answer.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)];
        response.Description = answer.Description;
        if (answer.Contract is null && answer.MediaTypes.Count > 0)
        {
            response.Content = answer.MediaTypes.ToDictionary(
                static mediaType => mediaType,
                _ => new OpenApiMediaType { Schema = answer.Schema?.Build() ?? new OpenApiSchema() },
                StringComparer.Ordinal);
        }

        if (answer.Headers.Count > 0)
        {
            response.Headers = answer.Headers.ToDictionary(
                static header => header.Name,
                static header => (IOpenApiHeader)new OpenApiHeader
                {
                    Description = header.Description.Length > 0 ? header.Description : null, Schema = header.Schema.Build(),
                },
                StringComparer.Ordinal);
        }
    }
}
