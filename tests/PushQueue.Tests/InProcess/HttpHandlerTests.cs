using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.InProcess;

/// <summary>The contract of handlers, in a host that reaches its server over HTTP and a WebSocket.</summary>
public sealed class HttpHandlerTests : HandlerContract
{
    private PushQueueServer _server = null!;
    private IHost? _host;

    private protected override IPushQueueClient Client => _server.Services.GetRequiredService<IPushQueueClient>();

    public override async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await StopAsync(CancellationToken.None);
        _host?.Dispose();
        await _server.DisposeAsync();
        Log.Verify();
    }

    private protected override async Task StartAsync(Action<IServiceCollection> services, Action<IHost>? map = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ILoggerFactory>(Log);
        builder.Services.AddPushQueueClient(options => options.Server = _server.Address);
        services(builder.Services);
        _host = builder.Build();
        map?.Invoke(_host);
        await _host.StartAsync().WithTimeout();
    }

    private protected override Task StopAsync(CancellationToken gaveUp = default) => _host?.StopAsync(gaveUp) ?? Task.CompletedTask;

    private protected override Task<IPushQueueClient> ReopenAsync() => Task.FromResult(Client);
}
