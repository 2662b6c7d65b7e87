using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using PushQueue.Security;
using PushQueue.Transports;

namespace PushQueue.Dialects.RestMq;

/// <summary>Asks the access file before a handler runs. The address is that of the connection: behind a proxy it is the proxy's.</summary>
internal sealed class AccessGuard(AccessFile file, OriginCheck origins)
{
    private const string NotAsScript =
        "Nothing shows that this page may read the answer; leave its referrer on, use TLS, "
        + "or start the server with --allow-origin '*' to answer every page.";

    private const string Challenge = "Basic realm=\"restmq\"";

    public RequestDelegate Around(AccessSection section, RequestDelegate handler) => context =>
    {
        if (context.Request.Query.ContainsKey("callback") && origins.MayBeOfForeignScript(context.Request))
        {
            return RestMqAnswers.RefuseAsync(context, StatusCodes.Status403Forbidden, NotAsScript);
        }

        var rule = file.Rules[section];
        if (!rule.Allows(AddressOf(context)))
        {
            return RestMqAnswers.RefuseAsync(context, StatusCodes.Status401Unauthorized, "Your address may not do this.");
        }

        if (!rule.Knows(section == AccessSection.WebSocketConsumer ? CookieCredentials(context) : BasicCredentials(context)))
        {
            context.Response.Headers.WWWAuthenticate = Challenge;
            return RestMqAnswers.RefuseAsync(
                context, StatusCodes.Status401Unauthorized, "The user name or the password is missing or wrong.");
        }

        return handler(context);
    };

    /// <summary>As the access file writes it: an IPv4 client of a listener for both kinds is an IPv4 client.</summary>
    public static string AddressOf(System.Net.IPAddress? address) =>
        (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString() ?? "";

    private static string AddressOf(HttpContext context) => AddressOf(context.Connection.RemoteIpAddress);

    private static string? CookieCredentials(HttpContext context) =>
        context.Request.Cookies["auth"] is { } credentials ? HeaderText.FromUtf8(credentials) : null;

    private static string? BasicCredentials(HttpContext context)
    {
        if (!AuthenticationHeaderValue.TryParse(context.Request.Headers.Authorization, out var header)
            || !"Basic".Equals(header.Scheme, StringComparison.OrdinalIgnoreCase)
            || header.Parameter is not { } parameter)
        {
            return null;
        }

        var bytes = new byte[parameter.Length];
        return Convert.TryFromBase64String(parameter, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }
}
