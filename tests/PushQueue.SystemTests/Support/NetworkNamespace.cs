using System.Diagnostics;
using Xunit;

namespace PushQueue.SystemTests.Support;

/// <summary>
/// A second machine, as far as the network is concerned: a namespace with one link to this machine. Needs iproute2 and root.
/// </summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly string _name;

    private NetworkNamespace(string name, string hostAddress)
    {
        _name = name;
        HostAddress = hostAddress;
    }

    /// <summary>This machine's address on the link.</summary>
    public string HostAddress { get; }

    public static async Task<NetworkNamespace> CreateAsync()
    {
        await ToolProcess.SkipWithoutAsync("unshare", "--net", "ip", "link");

        // 198.18.0.0/15 is reserved for tests of networks; interface names have 15 characters at most.
        var number = Environment.ProcessId % 16384;
        var network = $"198.18.{number / 64}.{number % 64 * 4}";
        var prefix = network[..(network.LastIndexOf('.') + 1)];
        var last = number % 64 * 4;
        var made = new NetworkNamespace($"pq{Environment.ProcessId}", $"{prefix}{last + 1}");
        try
        {
            await IpAsync("netns", "add", made._name);
            await IpAsync("link", "add", made._name, "type", "veth", "peer", "name", "peer", "netns", made._name);
            await IpAsync("address", "add", $"{made.HostAddress}/30", "dev", made._name);
            await IpAsync("link", "set", made._name, "up");
            await IpAsync("-n", made._name, "address", "add", $"{prefix}{last + 2}/30", "dev", "peer");
            await IpAsync("-n", made._name, "link", "set", "peer", "up");
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a program on the other machine.</summary>
    public Process Start(string command, params string[] arguments) =>
        ToolProcess.Start(Path.GetTempPath(), "ip", ["netns", "exec", _name, command, .. arguments]);

    /// <summary>
    /// From now on nothing that the other machine sends arrives here, neither data nor acknowledgements nor the end of a connection.
    /// </summary>
    public Task FallSilentAsync() => IpAsync("-n", _name, "route", "add", "blackhole", HostAddress);

    public async ValueTask DisposeAsync() =>
        _ = await ToolProcess.RunAsync(Timeout, Path.GetTempPath(), "ip", "netns", "delete", _name);

    private static async Task IpAsync(params string[] arguments)
    {
        var (exitCode, output) = await ToolProcess.RunAsync(Timeout, Path.GetTempPath(), "ip", arguments);
        Assert.True(exitCode == 0, $"ip {string.Join(' ', arguments)}: {output}");
    }
}
