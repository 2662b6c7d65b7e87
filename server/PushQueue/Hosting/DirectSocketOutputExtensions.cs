using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace PushQueue.Hosting;

/// <summary>Turns <see cref="DirectSocketOutput"/> on for a listener.</summary>
public static class DirectSocketOutputExtensions
{
    /// <summary>
    /// Sends what connections write straight to their sockets. Call it before <c>UseHttps</c>, so that TLS sits above it. Connections that
    /// are no sockets (named pipes, tests in memory) are left as they are.
    /// </summary>
    public static ListenOptions UseDirectSocketOutput(this ListenOptions options)
    {
        options.Use(static next => connection =>
        {
            if (connection.Features.Get<IConnectionSocketFeature>() is { } feature)
            {
                var transport = connection.Transport;
                connection.Transport = new Duplex(transport.Input, new DirectSocketOutput(feature.Socket, transport.Output));
            }

            return next(connection);
        });
        return options;
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
