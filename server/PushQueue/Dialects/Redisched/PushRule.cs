using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace PushQueue.Dialects.Redisched;

/// <summary>One line of the list of those who may be pushed to.</summary>
/// <param name="HostName">A name, allowed whatever its address.</param>
/// <param name="Network">Addresses, allowed whatever their name.</param>
/// <param name="Everyone">All of them.</param>
/// <param name="Loopback">This machine, under any of its loopback addresses.</param>
internal sealed record PushRule(string? HostName = null, IPNetwork? Network = null, bool Everyone = false, bool Loopback = false)
{
    public static bool TryParse(string text, [NotNullWhen(true)] out PushRule? rule)
    {
        rule = text switch
        {
            "*" => new PushRule(Everyone: true),
            "loopback" => new PushRule(Loopback: true),
            _ when IPNetwork.TryParse(text, out var network) => new PushRule(Network: network),
            _ when IPAddress.TryParse(text, out var address) =>
                new PushRule(Network: new IPNetwork(Plain(address), Plain(address).GetAddressBytes().Length * 8)),
            _ when Uri.CheckHostName(text) == UriHostNameType.Dns => new PushRule(HostName: text),
            _ => null,
        };
        return rule is not null;
    }

    public bool AllowsName(string host) => Everyone || string.Equals(HostName, host, StringComparison.OrdinalIgnoreCase);

    public bool AllowsAddress(IPAddress address) =>
        Everyone || (Loopback && IPAddress.IsLoopback(Plain(address))) || (Network is { } network && network.Contains(Plain(address)));

    /// <summary>An IPv4 address is the same when it is written as an IPv6 one.</summary>
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
