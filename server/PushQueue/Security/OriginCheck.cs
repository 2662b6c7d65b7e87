using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace PushQueue.Security;

/// <summary>
/// Keeps web pages of others away: whoever runs a browser beside the server lends it to every page that is open there. Goes by headers that
/// browsers alone send and pages cannot change, so no other client notices.
/// </summary>
internal sealed class OriginCheck(SecurityOptions options, IServer server)
{
    private const string AnswerHeaders =
        "Location, PushQueue-Attempt, PushQueue-Enqueued-At, PushQueue-Id, PushQueue-Leased-Until, PushQueue-Priority, PushQueue-Receipt, Retry-After";

    private readonly HashSet<string> _origins =
        options.AllowedOrigins.Select(SecurityOptions.NormalOrigin).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);

    private readonly HashSet<string> _hosts = options.AllowedHosts.ToHashSet(StringComparer.OrdinalIgnoreCase);

    // Known once the server listens, which is before the first request.
    private readonly Lazy<bool> _onLoopbackOnly = new(() => ListensOnLoopbackOnly(server));

    /// <summary>The sentence of a refusal; null where the request may go on. An allowed page's answer gets the headers that let it be read.</summary>
    public string? WhyRefused(HttpContext context)
    {
        var headers = context.Request.Headers;
        var host = context.Request.Host;
        if (!IsOwnName(host.Host))
        {
            return "The Host header names another server; use localhost or a loopback address, or start the server with --allow-host.";
        }

        var origin = headers.Origin;
        if (StringValues.IsNullOrEmpty(origin))
        {
            // A link, an image or a script in another page: browsers send no Origin with them, but they say where they come from. Over plain
            // HTTP to another machine they leave Sec-Fetch-Site out; there is the Referer, unless the page has them leave that out too.
            var site = headers["Sec-Fetch-Site"].ToString();
            var foreign = site.Length > 0 ? site is "cross-site" or "same-site" : ComesFromElsewhere(context.Request);
            return foreign && !_origins.Contains("*") ? Refusal : null;
        }

        if (string.Equals(origin, $"{context.Request.Scheme}://{host.Value}", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        if (_origins.Contains("*"))
        {
            context.Response.Headers.AccessControlAllowOrigin = "*";
        }
        else if (_origins.TryGetValue(origin.ToString(), out var allowed))
        {
            context.Response.Headers.AccessControlAllowOrigin = allowed;

            // SignalR's client asks for it.
            context.Response.Headers.AccessControlAllowCredentials = "true";
            context.Response.Headers.Vary = "Origin";
        }
        else
        {
            return Refusal;
        }

        context.Response.Headers.AccessControlExposeHeaders = AnswerHeaders;
        return null;
    }

    /// <summary>Answers a browser that asks beforehand whether a page may send a request; false where this is none.</summary>
    public static bool AnswersPreflight(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsOptions(request.Method)
            || StringValues.IsNullOrEmpty(request.Headers.AccessControlRequestMethod)
            || StringValues.IsNullOrEmpty(response.Headers.AccessControlAllowOrigin))
        {
            return false;
        }

        response.Headers.AccessControlAllowMethods = "GET, POST, PUT, PATCH, DELETE";
        if (request.Headers.AccessControlRequestHeaders.ToString() is { Length: > 0 } wanted && Ascii.IsValid(wanted))
        {
            response.Headers.AccessControlAllowHeaders = wanted;
        }

        response.Headers.AccessControlMaxAge = "600";
        response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    private static string Refusal => "This page's origin may not use the server; start it with --allow-origin and that origin if it should.";

    /// <summary>
    /// A page can point a name of its own at 127.0.0.1 and so become this server's own origin; the name gives it away. Only on loopback:
    /// elsewhere the names under which a server is reached cannot be known.
    /// </summary>
    private bool ComesFromElsewhere(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Referer.ToString(), UriKind.Absolute, out var page)
        && !string.Equals(page.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase)
        && !_origins.Contains(page.GetLeftPart(UriPartial.Authority));

    private bool IsOwnName(string host) =>
        host.Length == 0 || IsLoopback(host) || !_onLoopbackOnly.Value || _hosts.Contains(host) || _hosts.Contains("*");

    private static bool ListensOnLoopbackOnly(IServer server) =>
        server.Features.Get<IServerAddressesFeature>() is { Addresses: { Count: > 0 } addresses }
        && addresses.All(static address => Uri.TryCreate(address, UriKind.Absolute, out var uri) && IsLoopback(uri.Host));

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
