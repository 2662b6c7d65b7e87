using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.InProcess;

/// <summary>The contract of handlers, in a host that has the queue itself, and no port.</summary>
public sealed class InProcessHandlerTests : HandlerContract
{
    private readonly TemporaryDirectory _directory = new();
    private IHost? _host;

    private protected override IPushQueueClient Client => _host!.Services.GetRequiredService<IPushQueueClient>();

    public override ValueTask InitializeAsync() => default;

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await EndAsync(CancellationToken.None);
        _directory.Dispose();
        Log.Verify();
    }

    private protected override async Task StartAsync(Action<IServiceCollection> services, Action<IHost>? map = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ILoggerFactory>(Log);
        builder.Services.AddPushQueue(options =>
        {
            options.Storage.DataDirectory = _directory.Path;
            options.Storage.Durability = "memory";
        });
        services(builder.Services);
        _host = builder.Build();
        map?.Invoke(_host);
        await _host.StartAsync().WithTimeout();
    }

    private protected override Task StopAsync(CancellationToken gaveUp = default) => EndAsync(gaveUp);

    private protected override async Task<IPushQueueClient> ReopenAsync()
    {
        await StartAsync(static _ => { });
        return Client;
    }

    private async Task EndAsync(CancellationToken gaveUp)
    {
        if (_host is { } host)
        {
            _host = null;
            await host.StopAsync(gaveUp);
            await ((IAsyncDisposable)host).DisposeAsync();
        }
    }
}
