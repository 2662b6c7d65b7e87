using System.Collections.Concurrent;
using System.Net;
using PushQueue.Queues;

namespace PushQueue.Hosting;

/// <summary>The connections at this moment, all together and by address.</summary>
internal sealed class ConnectionCounts(ConnectionOptions options)
{
    private readonly ConcurrentDictionary<IPAddress, int> _byAddress = new();
    private readonly HashSet<IPAddress> _proxies = [.. options.Proxies.Select(static proxy => Plain(proxy)!)];
    private int _all;

    /// <summary>
    /// Null where another connection may begin; it must be given back by <see cref="Leave"/>. Else the limit that it met.
    /// </summary>
    public string? Enter(IPAddress? address)
    {
        if (Interlocked.Increment(ref _all) > options.ConnectionsMax)
        {
            _ = Interlocked.Decrement(ref _all);
            return LimitNames.Connections;
        }

        if (IsCounted(Plain(address))
            && _byAddress.AddOrUpdate(Plain(address)!, 1, static (_, before) => before + 1) > options.PerAddressMax)
        {
            Leave(address);
            return LimitNames.ConnectionsPerAddress;
        }

        return null;
    }

    public void Leave(IPAddress? address)
    {
        _ = Interlocked.Decrement(ref _all);
        address = Plain(address);
        if (!IsCounted(address))
        {
            return;
        }

        // Gone with its last connection: addresses are many.
        if (_byAddress.AddOrUpdate(address!, 0, static (_, before) => before - 1) <= 0)
        {
            _byAddress.TryRemove(KeyValuePair.Create(address!, 0));
        }
    }

    private bool IsCounted(IPAddress? address) =>
        address is not null && (options.CountLoopback || !IPAddress.IsLoopback(address)) && !_proxies.Contains(address);

    /// <summary>On a socket for both kinds an IPv4 address arrives within an IPv6 one.</summary>
    private static IPAddress? Plain(IPAddress? address) => address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
}
