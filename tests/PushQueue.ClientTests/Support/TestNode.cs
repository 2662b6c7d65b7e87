using System.Net.Sockets;
using PushQueue.Client;
using PushQueue.SystemTests.Support;

namespace PushQueue.ClientTests.Support;

/// <summary>A real server in a process of its own behind a proxy that cuts, and a client of it.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly TemporaryDirectory _data;
    private readonly string[] _options;
    private ServerProcess _server;

    private TestNode(ServerProcess server, TemporaryDirectory data, string[] options)
    {
        _data = data;
        _server = server;
        _options = options;
        Proxy = new CuttingProxy(server.Address);
        Client = NewClient();
    }

    public CuttingProxy Proxy { get; }

    public PushQueueClient Client { get; }

    public static async Task<TestNode> StartAsync(params string[] options)
    {
        var data = new TemporaryDirectory();
        try
        {
            return new TestNode(await ServerProcess.StartAsync(data.Path, options), data, options);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    public PushQueueClient NewClient(Action<PushQueueClientOptions>? configure = null)
    {
        var options = new PushQueueClientOptions { Server = Proxy.Address };
        options.Reconnect.FirstDelay = TimeSpan.FromMilliseconds(20);
        options.Reconnect.LongestDelay = TimeSpan.FromMilliseconds(200);
        configure?.Invoke(options);
        return new PushQueueClient(options);
    }

    /// <summary>A client that goes to the server itself, past the proxy.</summary>
    public PushQueueClient NewDirectClient() => new(_server.Address.AbsoluteUri);

    public async Task StopServerAsync(bool kill)
    {
        Proxy.Target = null;
        if (kill)
        {
            await _server.KillAsync();
        }
        else
        {
            await _server.StopAsync();
        }

        await _server.DisposeAsync();
    }

    public async Task StartServerAsync()
    {
        _server = await ServerProcess.StartAsync(_data.Path, _options);
        Proxy.Target = _server.Address;
    }

    public async Task<string> NewQueueAsync(string policy)
    {
        var queue = $"{policy}-{Random.Shared.Next():x}";
        await Client.ChangeSettingsAsync(queue, new QueueSettingsChange { Policy = policy, DedupWindow = "10m" });
        return queue;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Proxy.DisposeAsync();
        await _server.DisposeAsync();
        _data.Dispose();
    }

    /// <summary>An address at which nobody listens.</summary>
    public static Uri DeadAddress()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        return new Uri($"http://127.0.0.1:{((System.Net.IPEndPoint)socket.LocalEndPoint!).Port}");
    }
}
