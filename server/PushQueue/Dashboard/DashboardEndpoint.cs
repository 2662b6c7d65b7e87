using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace PushQueue.Dashboard;

/// <summary>Serves the dashboard in an application that has other pages, too.</summary>
/// <param name="findApi">The path under which the application has mapped the API, without a slash at its end.</param>
internal sealed class DashboardEndpoint(Func<string> findApi)
{
    /// <summary>The parameter of the route.</summary>
    public const string PathParameter = "path";

    // The same as that of the server's own pages. They load nothing from elsewhere, and no other page may frame them.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    // The page of the API's reference names it by this relative path.
    private const string OpenApi = "openapi/v1.json";

    private readonly DashboardPages _pages = new();
    private readonly Lazy<string> _api = new(findApi);

    public Task ServeAsync(HttpContext context)
    {
        var request = context.Request;
        var path = request.RouteValues[PathParameter] as string ?? string.Empty;
        if (path.Length == 0 && !request.Path.Value!.EndsWith('/'))
        {
            // The links of the page are relative to a folder.
            return Results.Redirect($"{request.PathBase}{request.Path}/{request.QueryString}").ExecuteAsync(context);
        }

        var api = request.PathBase.ToUriComponent() + _api.Value + "/";
        if (path == OpenApi)
        {
            return Results.Redirect(api + OpenApi).ExecuteAsync(context);
        }

        return (path is "" or DashboardPages.Shell ? _pages.ShellFor(api) : _pages.Find(path)) is { } page
            ? WriteAsync(context, page)
            : Results.Text($"The dashboard has no file '{path}'.", statusCode: StatusCodes.Status404NotFound).ExecuteAsync(context);
    }

    private static Task WriteAsync(HttpContext context, DashboardPage page)
    {
        var headers = context.Response.Headers;

        // Modules of two versions do not fit together: a browser asks each time whether its copy is the present one.
        headers.CacheControl = "no-cache";
        headers.XContentTypeOptions = "nosniff";
        if (page.IsHtml)
        {
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers["Referrer-Policy"] = "no-referrer";
        }

        return Results.Bytes(page.Content, page.ContentType, entityTag: new EntityTagHeaderValue(page.Tag)).ExecuteAsync(context);
    }
}
