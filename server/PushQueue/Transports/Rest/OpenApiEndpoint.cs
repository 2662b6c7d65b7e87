using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using PushQueue.Security;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Rest;

/// <summary>GET /openapi/v1.json: the native API as a document to make clients from, made at the first request.</summary>
internal sealed class OpenApiEndpoint([FromKeyedServices(ApiDocument.Name)] IOpenApiDocumentProvider documents)
{
    private byte[]? _document;

    public void Map(RestRoutes routes) => routes.Map("/openapi/v1.json", ("GET", AccessRule.Public, AnswerAsync, NodeOperations.OpenApi));

    private async ValueTask<Problem?> AnswerAsync(HttpContext context) =>
        await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, _document ??= await WriteAsync(context.RequestAborted));

    private async Task<byte[]> WriteAsync(CancellationToken cancellationToken)
    {
        var document = await documents.GetOpenApiDocumentAsync(cancellationToken);
        using var json = new MemoryStream();
        await document.SerializeAsJsonAsync(json, OpenApiSpecVersion.OpenApi3_1, cancellationToken);
        return json.ToArray();
    }
}
