using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Primitives;

namespace PushQueue.Transports.Streaming;

/// <summary>The opening handshake: RFC 6455 over HTTP/1.1, RFC 8441 over HTTP/2.</summary>
internal static class WebSocketHandshake
{
    /// <summary>The name that a client may offer as <c>Sec-WebSocket-Protocol</c>; it changes nothing.</summary>
    private const string Subprotocol = "pushqueue";

    private const string KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Null where the request can become a WebSocket; else the sentence of the refusal.</summary>
    public static string? WhyNot(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (IsExtendedConnect(context))
        {
            return headers.SecWebSocketVersion == "13" ? null : "Sec-WebSocket-Version must be 13.";
        }

        if (HttpProtocol.IsHttp10(context.Request.Protocol)
            || context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true }
            || !HasToken(headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase))
        {
            return "This address speaks WebSocket: connect with a WebSocket client, or listen at /sse/{queue} or /c/{queue}.";
        }

        if (headers.SecWebSocketVersion != "13")
        {
            return "Sec-WebSocket-Version must be 13.";
        }

        Span<byte> key = stackalloc byte[16];
        return Convert.TryFromBase64String(headers.SecWebSocketKey.ToString(), key, out var length) && length == 16
            ? null
            : "Sec-WebSocket-Key must be 16 bytes in base64.";
    }

    /// <summary>
    /// Whether a client asks for a WebSocket over HTTP/1.0, which has no upgrades. The framework accepts that, for the hub, too.
    /// </summary>
    public static bool IsTooOld(HttpContext context) =>
        HttpProtocol.IsHttp10(context.Request.Protocol)
        && HasToken(context.Request.Headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase);

    /// <summary>Informs a client that this address speaks WebSocket, and why its request cannot become one.</summary>
    public static Task RefuseAsync(HttpContext context, string whyNot)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            // HTTP/2 has no such header: the web server would remove it and log a warning for each refusal.
            context.Response.Headers.Upgrade = "websocket";
        }

        context.Response.Headers.SecWebSocketVersion = "13";
        return RefusalForm.RefuseAsync(context, new Problem(ProblemType.UpgradeRequired, whyNot));
    }

    public static async ValueTask<Stream> AcceptAsync(HttpContext context)
    {
        // The server's own rule counts bytes since the start of the response, which a socket that was idle for long always meets.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } minRate && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            minRate.MinDataRate = null;
        }

        SelectSubprotocol(context);
        if (IsExtendedConnect(context))
        {
            return await context.Features.Get<IHttpExtendedConnectFeature>()!.AcceptAsync();
        }

        var headers = context.Response.Headers;
        headers.Upgrade = "websocket";
        headers.SecWebSocketAccept = AcceptOf(context.Request.Headers.SecWebSocketKey.ToString());
        return await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
    }

    /// <summary>
    /// Selects ours where it is offered. Where only others are, none is selected: naming one would promise what is not spoken here.
    /// Browsers then fail the connection, other clients go on without.
    /// </summary>
    private static void SelectSubprotocol(HttpContext context)
    {
        if (HasToken(context.Request.Headers.SecWebSocketProtocol, Subprotocol, StringComparison.Ordinal))
        {
            context.Response.Headers.SecWebSocketProtocol = Subprotocol;
        }
    }

    private static bool HasToken(StringValues header, string token, StringComparison comparison) =>
        header.Any(values => values!.Split(',').Any(value => value.Trim().Equals(token, comparison)));

    private static bool IsExtendedConnect(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" };

    // SHA-1 is what the protocol prescribes; nothing is kept secret by it.
    private static string AcceptOf(string key) =>
        Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + KeySuffix)));
}
