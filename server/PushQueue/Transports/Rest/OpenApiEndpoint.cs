using Microsoft.AspNetCore.Http;
using PushQueue.Security;

namespace PushQueue.Transports.Rest;

/// <summary>GET /openapi/v1.json: the native API as a document to make clients from. Kept by hand; a test compares it with the routes.</summary>
internal sealed class OpenApiEndpoint
{
    private readonly Lazy<byte[]> _document = new(Read);

    public void Map(RestRoutes routes) => routes.Map("/openapi/v1.json", ("GET", AccessRule.Public, AnswerAsync));

    private ValueTask<Problem?> AnswerAsync(HttpContext context) =>
        RestAnswers.JsonAsync(context, StatusCodes.Status200OK, _document.Value);

    private static byte[] Read()
    {
        using var resource = typeof(OpenApiEndpoint).Assembly.GetManifestResourceStream("openapi.json")
            ?? throw new InvalidOperationException("The library was built without its OpenAPI document.");
        var document = new byte[resource.Length];
        resource.ReadExactly(document);
        return document;
    }
}
