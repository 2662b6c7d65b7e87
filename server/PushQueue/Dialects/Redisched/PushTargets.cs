using System.Net;
using System.Net.Sockets;

namespace PushQueue.Dialects.Redisched;

/// <summary>
/// The allowed targets of pushes. Asked when a URL is subscribed, and again for every connection, about the very address that is connected
/// to: the address of a name may change in between.
/// </summary>
internal sealed class PushTargets(RedischedOptions options)
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    // Texts that are not rules were refused when the options were checked.
    private readonly PushRule[] _rules =
        [.. options.PushAllowed.Select(static text => PushRule.TryParse(text, out var rule) ? rule : new PushRule())];

    /// <summary>False where no address of the host is allowed, or none is known.</summary>
    public async Task<bool> AllowsAsync(Uri url, CancellationToken cancellationToken)
    {
        try
        {
            return (await AddressesAsync(url.IdnHost, cancellationToken)).Length > 0;
        }
        catch (SocketException)
        {
            // Resolving says in no other way that there is no such name.
            return false;
        }
    }

    /// <summary>A handler that connects to allowed addresses only, directly, and follows no redirect.</summary>
    public SocketsHttpHandler NewHandler() => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ConnectCallback = ConnectAsync,
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = await AddressesAsync(host, cancellationToken);
        if (addresses.Length == 0)
        {
            throw new HttpRequestException($"No address of {host} may be pushed to.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The addresses of a host that may be connected to.</summary>
    private async Task<IPAddress[]> AddressesAsync(string host, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);
        return Array.Exists(_rules, rule => rule.AllowsName(host))
            ? addresses
            : Array.FindAll(addresses, address => Array.Exists(_rules, rule => rule.AllowsAddress(address)));
    }
}
