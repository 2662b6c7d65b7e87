using System.Net;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace PushQueue.Security;

/// <summary>
/// Keeps pages of other origins away: a page that is open in a browser can use every server that the browser's machine reaches. The check
/// goes by headers that only browsers send and that pages cannot change, so no other client notices it. CORS alone would not do: it hides
/// answers from pages, but lets their requests take effect.
/// </summary>
internal sealed class OriginCheck
{
    /// <summary>Within the address of a listener that is a file of this machine.</summary>
    private const string UnixSocket = "://unix:";

    private const string AnyOrigin = "*";

    private const string Refusal = "This page's origin may not use the server; start it with --allow-origin and that origin if it should.";

    private static readonly string[] AnswerHeaders =
    [
        "Location", "PushQueue-Attempt", "PushQueue-Enqueued-At", "PushQueue-Id", "PushQueue-Key", "PushQueue-Leased-Until",
        "PushQueue-Priority", "PushQueue-Receipt", "Retry-After",
    ];

    private readonly ICorsService _cors;
    private readonly ICorsPolicyProvider _policies;
    private readonly CorsPolicy _policy;
    private readonly bool _anyOrigin;
    private readonly AllowedHost[] _hosts;

    // Known once the server listens, which is before the first request.
    private readonly Lazy<bool> _onLoopbackOnly;

    public OriginCheck(SecurityOptions options, ICorsService cors, ICorsPolicyProvider policies, IServer server)
    {
        _cors = cors;
        _policies = policies;
        _policy = MakePolicy(options);
        _anyOrigin = options.AllowedOrigins.Contains(AnyOrigin);
        _hosts = [.. options.AllowedHosts.Select(AllowedHost.Parse)];
        _onLoopbackOnly = new Lazy<bool>(() => ListensOnLoopbackOnly(server));
    }

    /// <summary>
    /// The sentence of a refusal; null where the request may go on. An allowed page's answer gets the headers that let the page read it.
    /// </summary>
    public string? WhyRefused(HttpContext context)
    {
        var request = context.Request;
        if (!IsOwnName(request.Host))
        {
            return "The Host header names another host; use localhost or a loopback address, or start the server with --allow-host.";
        }

        var origin = request.Headers.Origin;
        if (StringValues.IsNullOrEmpty(origin))
        {
            // A link, an image or a script in another page: browsers send no Origin with them, but they say where they come from. Over
            // plain HTTP to another machine they leave Sec-Fetch-Site out; then there is the Referer, unless the page has them leave that
            // out, too.
            var site = request.Headers["Sec-Fetch-Site"].ToString();
            var foreign = site.Length > 0 ? site is "cross-site" or "same-site" : ComesFromElsewhere(request);
            return foreign && !_anyOrigin ? Refusal : null;
        }

        if (IsOwnOrigin(request, origin.ToString()))
        {
            return null;
        }

        var result = _cors.EvaluatePolicy(context, _policy);
        if (!result.IsOriginAllowed)
        {
            return Refusal;
        }

        _cors.ApplyResult(result, context.Response);
        return null;
    }

    /// <summary>
    /// Whether the application has given the endpoint a CORS policy of its own that allows the page. The framework's middleware then
    /// answers preflights and adds the headers.
    /// </summary>
    public async ValueTask<bool> IsAllowedByHostAsync(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<IEnableCorsAttribute>() is { } cors
        && IsOwnName(context.Request.Host)
        && context.Request.Headers.Origin is [{ Length: > 0 } origin]
        && await _policies.GetPolicyAsync(context, cors.PolicyName) is { } policy
        && policy.IsOriginAllowed(origin);

    /// <summary>Answers a browser that asks beforehand whether a page may send a request; false for every other request.</summary>
    public static bool AnswersPreflight(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsOptions(request.Method)
            || StringValues.IsNullOrEmpty(request.Headers.AccessControlRequestMethod)
            || StringValues.IsNullOrEmpty(response.Headers.AccessControlAllowOrigin))
        {
            return false;
        }

        response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    /// <summary>
    /// Whether nothing shows that the request is not of a script element in a foreign page: over plain HTTP to another machine, browsers
    /// say nothing of the page where the page asks them not to. A server that answers such a request in script lets the page read the
    /// answer.
    /// </summary>
    public bool MayBeOfForeignScript(HttpRequest request) =>
        !_anyOrigin && !request.IsHttps && !IsLoopback(request.Host.Host)
        && StringValues.IsNullOrEmpty(request.Headers.Origin)
        && StringValues.IsNullOrEmpty(request.Headers["Sec-Fetch-Site"])
        && StringValues.IsNullOrEmpty(request.Headers.Referer);

    private static CorsPolicy MakePolicy(SecurityOptions options)
    {
        var policy = new CorsPolicyBuilder()
            .WithMethods("GET", "POST", "PUT", "PATCH", "DELETE")
            .AllowAnyHeader()
            .WithExposedHeaders(AnswerHeaders)

            // SignalR's client asks for it, also where nothing here reads a cookie.
            .AllowCredentials()
            .SetPreflightMaxAge(TimeSpan.FromMinutes(10));

        // Not AllowAnyOrigin, which a browser does not take together with credentials: the origin is sent back instead.
        return options.AllowedOrigins.Contains(AnyOrigin)
            ? policy.SetIsOriginAllowed(static _ => true).Build()
            : policy.WithOrigins([.. options.AllowedOrigins.Select(SecurityOptions.NormalOrigin).OfType<string>()])
                .SetIsOriginAllowedToAllowWildcardSubdomains().Build();
    }

    private static bool IsOwnOrigin(HttpRequest request, string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var page)
        && page.Scheme.Equals(request.Scheme, StringComparison.OrdinalIgnoreCase) && IsOwnAuthority(request, page);

    /// <summary>The default port and none are the same.</summary>
    private static bool IsOwnAuthority(HttpRequest request, Uri page) =>
        Uri.TryCreate($"{request.Scheme}://{request.Host.Value}", UriKind.Absolute, out var own)
        && own.Authority.Equals(page.Authority, StringComparison.OrdinalIgnoreCase);

    private bool ComesFromElsewhere(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Referer.ToString(), UriKind.Absolute, out var page)
        && !IsOwnAuthority(request, page)
        && !_policy.IsOriginAllowed(page.GetLeftPart(UriPartial.Authority));

    /// <summary>
    /// A page can point a name of its own at 127.0.0.1 and so become this server's own origin; the name gives it away. Only on loopback:
    /// elsewhere the names under which a server is reached cannot be known.
    /// </summary>
    private bool IsOwnName(HostString host) =>
        host.Host.Length == 0 || IsLoopback(host.Host) || !_onLoopbackOnly.Value || Array.Exists(_hosts, allowed => allowed.Fits(host));

    private static bool ListensOnLoopbackOnly(IServer server) =>
        server.Features.Get<IServerAddressesFeature>() is { Addresses: { Count: > 0 } addresses }
        && addresses.All(static address =>
            address.Contains(UnixSocket, StringComparison.Ordinal)
            || (Uri.TryCreate(address, UriKind.Absolute, out var uri) && IsLoopback(uri.Host)));

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>A name under which the server may be addressed, <c>*</c> for every one.</summary>
    /// <param name="Name">Without a port.</param>
    /// <param name="Port">Null for every port, and where a default one was given: clients leave those out.</param>
    private sealed record AllowedHost(string Name, int? Port)
    {
        private const int HttpPort = 80;
        private const int HttpsPort = 443;

        public static AllowedHost Parse(string text)
        {
            var host = new HostString(text);
            return new AllowedHost(host.Host, host.Port is HttpPort or HttpsPort ? null : host.Port);
        }

        public bool Fits(HostString host) =>
            (Name == AnyOrigin || Name.Equals(host.Host, StringComparison.OrdinalIgnoreCase)) && (Port is null || Port == host.Port);
    }
}
