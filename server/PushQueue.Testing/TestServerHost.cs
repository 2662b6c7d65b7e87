using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PushQueue.Queues;

namespace PushQueue.Testing;

/// <summary>The application of a test server: the whole queue on a free port of this machine, with data that vanishes.</summary>
internal static class TestServerHost
{
    public static async Task<WebApplication> StartAsync(
        string folder, FakeTimeProvider clock, PutRecord record, Action<PushQueueOptions>? configure)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = folder });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<TimeProvider>(clock).AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton<IQueueChangeListener>(record);

        // A consumer that still holds a message at the end of its test is not waited for as long as in an application.
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddPushQueue(options =>
        {
            configure?.Invoke(options);
            options.Storage.DataDirectory = folder;
            options.Storage.Durability = "memory";
            options.Storage.Redis = null;
        });
        Record(builder.Services, record);
        var app = builder.Build();
        app.MapPushQueue();
        app.MapPushQueueNotFound();
        try
        {
            await app.StartAsync();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    private static void Record(IServiceCollection services, PutRecord record)
    {
        var store = services.Single(static service => service.ServiceType == typeof(IMessageStore));
        services.Replace(ServiceDescriptor.Singleton(
            provider => RecordingStore.Over((IMessageStore)store.ImplementationFactory!(provider), record)));
    }

    /// <summary>The test's process decides itself what an interrupt does.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
