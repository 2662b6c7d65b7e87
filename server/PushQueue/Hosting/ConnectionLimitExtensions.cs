using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Hosting;

/// <summary>Holds a web server to <see cref="ConnectionOptions"/>.</summary>
public static class ConnectionLimitExtensions
{
    private const string RefusalBody =
        "{\"type\":\"too-many-connections\",\"title\":\"Too many connections\",\"status\":429,"
        + "\"detail\":\"The server, or this address, has reached its limit of connections; close one, or try again later.\"}";

    private static readonly byte[] Refusal = Encoding.ASCII.GetBytes(
        $"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nContent-Length: {RefusalBody.Length}\r\n"
        + $"Connection: close\r\nRetry-After: 5\r\n\r\n{RefusalBody}");

    /// <summary>Sizes and encoding of headers, streams of one connection, and the slowest upload.</summary>
    public static KestrelServerOptions UseLimits(this KestrelServerOptions kestrel, ConnectionOptions options)
    {
        kestrel.Limits.MaxRequestHeadersTotalSize = options.HeaderBytesMax;
        kestrel.Limits.MaxRequestLineSize = Math.Min(kestrel.Limits.MaxRequestLineSize, options.HeaderBytesMax);
        kestrel.Limits.KeepAliveTimeout = options.KeepAliveTimeout;
        kestrel.Limits.Http2.MaxStreamsPerConnection = options.StreamsPerConnectionMax;

        // Every sequence of bytes is valid Latin-1. Read as UTF-8, one byte in another program's cookie would refuse every request of that
        // browser.
        // Where this names an encoding for it, the web server decodes a Content-Length into room for 20 characters. A longer one then ends
        // the connection with a fault in the log instead of a 400.
        kestrel.RequestHeaderEncodingSelector = static name => name == HeaderNames.ContentLength ? null : Encoding.Latin1;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(options.UploadBytesPerSecondMin, options.UploadGrace);
        return kestrel;
    }

    /// <summary>
    /// Counts connections, refuses those beyond the limits, and ends those whose peer has vanished. Call it before everything else that is
    /// done with a connection.
    /// </summary>
    /// <param name="listen">One endpoint; all that are given the same service provider count together.</param>
    /// <param name="plain">Whether a refusal can be said in plain HTTP; under TLS the connection is just closed.</param>
    public static ListenOptions UseConnectionLimits(this ListenOptions listen, bool plain = true)
    {
        var counts = listen.ApplicationServices.GetRequiredService<ConnectionCounts>();
        var hits = listen.ApplicationServices.GetRequiredService<LimitHits>();
        var timeout = listen.ApplicationServices.GetRequiredService<ConnectionOptions>().DeadPeerTimeout;
        var stallTimeout = listen.ApplicationServices.GetRequiredService<IOptions<DeliveryOptions>>().Value.StallTimeout;
        listen.Use(next => connection =>
        {
            if (connection.Features.Get<IConnectionSocketFeature>() is { } feature)
            {
                ClientSockets.Configure(feature.Socket, timeout, stallTimeout);
            }

            return ServeAsync(connection, next, counts, hits, plain);
        });
        return listen;
    }

    private static async Task ServeAsync(
        ConnectionContext connection, ConnectionDelegate next, ConnectionCounts counts, LimitHits hits, bool plain)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address;
        if (counts.Enter(address) is { } limit)
        {
            hits.Count(limit);
            if (plain)
            {
                _ = await connection.Transport.Output.WriteAsync(Refusal, connection.ConnectionClosed);
                await connection.Transport.Output.CompleteAsync();
            }

            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            counts.Leave(address);
        }
    }
}
