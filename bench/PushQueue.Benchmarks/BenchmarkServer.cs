using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Benchmarks;

/// <summary>
/// The real composition over a data folder of its own, durability memory, without a web server: requests go straight into the pipeline, so
/// that a benchmark measures PushQueue and not Kestrel.
/// </summary>
internal sealed class BenchmarkServer : IServer
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pushqueue-benchmark-");
    private Func<IFeatureCollection, Task>? _process;
    private WebApplication? _application;

    public IFeatureCollection Features { get; } = new FeatureCollection();

    public IMessageBroker Broker => _application!.Services.GetRequiredService<IMessageBroker>();

    public T Get<T>()
        where T : notnull => _application!.Services.GetRequiredService<T>();

    /// <param name="accessFile">The text of an access file; null for a server that everybody may use.</param>
    public static BenchmarkServer Start(string? accessFile = null)
    {
        var server = new BenchmarkServer();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IServer>(server);
        builder.Services.AddPushQueue(options =>
        {
            options.Storage.DataDirectory = Path.Combine(server._directory.FullName, "data");
            options.Storage.Durability = "memory";
            if (accessFile is not null)
            {
                options.Security.AccessFile = Path.Combine(server._directory.FullName, "access.json");
                File.WriteAllText(options.Security.AccessFile, accessFile);
            }
        });
        server._application = builder.Build();
        server._application.MapPushQueue();
        server._application.StartAsync().GetAwaiter().GetResult();
        return server;
    }

    public Task ProcessAsync(IFeatureCollection request) => _process!(request);

    public void Stop()
    {
        _application!.StopAsync().GetAwaiter().GetResult();
        _application.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _directory.Delete(recursive: true);
    }

    Task IServer.StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
    {
        _process = async features =>
        {
            var context = application.CreateContext(features);
            await application.ProcessRequestAsync(context);
            application.DisposeContext(context, exception: null);
        };
        return Task.CompletedTask;
    }

    Task IServer.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    void IDisposable.Dispose()
    {
        // Nothing is held: Stop ends the application.
    }
}
