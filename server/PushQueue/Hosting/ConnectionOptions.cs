using System.Net;

namespace PushQueue.Hosting;

/// <summary>
/// Bounds what connections cost. Taken up by <see cref="ConnectionLimitExtensions"/>, which a host calls for its web server.
/// </summary>
public sealed class ConnectionOptions
{
    /// <summary>Connections at once, streams and sockets included.</summary>
    public int ConnectionsMax { get; set; } = 50_000;

    /// <summary>Connections at once from one address.</summary>
    public int PerAddressMax { get; set; } = 1000;

    /// <summary>Addresses that are not counted by address, in addition to the machine's own: those of proxies.</summary>
    public IList<IPAddress> Proxies { get; } = [];

    /// <summary>Whether the machine's own addresses are counted like any other; a proxy on the same machine comes from one.</summary>
    public bool CountLoopback { get; set; }

    /// <summary>
    /// A peer that has acknowledged nothing for this long is gone, although its connection was never closed: 6 seconds to 10 minutes. With
    /// the default and the default heartbeat a stream is gone after at most 40 seconds.
    /// </summary>
    public TimeSpan DeadPeerTimeout { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>
    /// How long a connection stays open between two requests, 1 second to 1 hour. A balancer in front must give up its connections sooner.
    /// </summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>Requests, streams and sockets at once over one connection of HTTP/2.</summary>
    public int StreamsPerConnectionMax { get; set; } = 100;

    /// <summary>Bytes of all headers of one request.</summary>
    public int HeaderBytesMax { get; set; } = 32 * 1024;

    /// <summary>A body that comes more slowly than this for longer than <see cref="UploadGrace"/> is given up.</summary>
    public int UploadBytesPerSecondMin { get; set; } = 240;

    /// <summary>How long a body may be slower; more than a second.</summary>
    public TimeSpan UploadGrace { get; set; } = TimeSpan.FromSeconds(5);
}
