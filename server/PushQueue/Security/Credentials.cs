using System.Text;
using Microsoft.AspNetCore.Http;

namespace PushQueue.Security;

/// <summary>Where a request carries its key or token.</summary>
internal static class Credentials
{
    /// <summary>The cookie of an event stream, which a page's script neither reads nor sends by itself.</summary>
    public const string CookieName = "pushqueue-token";

    /// <summary>Begins the subprotocol that a browser's WebSocket offers in the place of a header.</summary>
    private const string SubprotocolPrefix = "pushqueue.token.";

    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";
    private const string QueryName = "access_token";

    /// <summary>The key or token as it came, or empty. A header wins over the URL.</summary>
    /// <param name="request">The request.</param>
    /// <param name="lasts">
    /// Whether it opens a stream or socket. Browsers set no header for these, so the URL, the subprotocol and the cookie may carry it.
    /// </param>
    public static ReadOnlySpan<char> Read(HttpRequest request, bool lasts)
    {
        var header = request.Headers.Authorization.ToString().AsSpan().Trim();
        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return header[Bearer.Length..].Trim();
        }

        if (header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            return ReadBasic(header[Basic.Length..].Trim());
        }

        return lasts && header.IsEmpty ? ReadOfBrowser(request) : default;
    }

    /// <summary>Whether the request opens a WebSocket, over HTTP/1.1 or HTTP/2.</summary>
    public static bool IsOfSocket(HttpRequest request) =>
        HttpMethods.IsConnect(request.Method) || request.Headers.SecWebSocketKey.Count > 0;

    private static string ReadOfBrowser(HttpRequest request)
    {
        if (request.Query[QueryName].ToString() is { Length: > 0 } inQuery)
        {
            return inQuery;
        }

        if (IsOfSocket(request))
        {
            // Not the cookie: pages have the subprotocol, and a socket that a foreign page opens sends cookies, too.
            return ReadSubprotocol(request);
        }

        // A key would escape the check that a token of a cookie gets.
        return HttpMethods.IsGet(request.Method) && request.Cookies[CookieName] is { } cookie && AccessToken.IsLike(cookie) ? cookie : "";
    }

    private static string ReadSubprotocol(HttpRequest request)
    {
        foreach (var line in request.Headers.SecWebSocketProtocol)
        {
            foreach (var offered in line?.Split(',', StringSplitOptions.TrimEntries) ?? [])
            {
                if (offered.StartsWith(SubprotocolPrefix, StringComparison.Ordinal))
                {
                    return offered[SubprotocolPrefix.Length..];
                }
            }
        }

        return "";
    }

    /// <summary>
    /// The password; where that is empty the user name, so that <c>curl -u KEY:</c> works, too. The name is the client's own affair.
    /// </summary>
    private static ReadOnlySpan<char> ReadBasic(ReadOnlySpan<char> encoded)
    {
        Span<byte> bytes = stackalloc byte[256];
        if (encoded.Length > 340 || !Convert.TryFromBase64Chars(encoded, bytes, out var length))
        {
            return default;
        }

        var text = Encoding.UTF8.GetString(bytes[..length]).AsSpan();
        var colon = text.IndexOf(':');
        return colon < 0 ? default : colon == text.Length - 1 ? text[..colon] : text[(colon + 1)..];
    }
}
