using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.ClientTests.Support;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>An application: a host with a database, a client and an outbox.</summary>
internal sealed class App : IAsyncDisposable
{
    private readonly IHost _host;

    private App(IHost host, RecordingLog log)
    {
        _host = host;
        Log = log;
    }

    public RecordingLog Log { get; }

    public IServiceProvider Services => _host.Services;

    /// <param name="database">Its database.</param>
    /// <param name="client">Its queue.</param>
    /// <param name="outbox">How its outbox is forwarded; null for quick polls.</param>
    /// <param name="services">More services.</param>
    public static async Task<App> StartAsync(
        ITestDatabase database, IPushQueueClient client, Action<OutboxOptions>? outbox = null, Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        var log = new RecordingLog();
        builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddMetrics();
        builder.Services.AddSingleton(client);
        builder.Services.AddDbContext<TestDb>(database.Configure);
        builder.Services.AddPushQueueOutbox<TestDb>(outbox ?? Quick);
        services?.Invoke(builder.Services);
        var host = builder.Build();
        try
        {
            await host.StartAsync().WithTimeout();
        }
        catch
        {
            host.Dispose();
            throw;
        }

        return new App(host, log);
    }

    /// <summary>Does something with a context of the application's services.</summary>
    public async Task UseAsync(Func<TestDb, Task> work)
    {
        await using var scope = Services.CreateAsyncScope();
        await work(scope.ServiceProvider.GetRequiredService<TestDb>()).WithTimeout();
    }

    /// <summary>Adds rows and saves them.</summary>
    public Task SaveAsync(Action<TestDb> work) => UseAsync(async db =>
    {
        work(db);
        await db.SaveChangesAsync();
    });

    /// <summary>Ends it with whatever is under way, as if it were killed: no lease is given back.</summary>
    public async Task AbandonAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        try
        {
            await _host.StopAsync(now.Token).WithTimeout();
        }
        catch (OperationCanceledException)
        {
            // The host says that it did not wait.
        }

        _host.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync().WithTimeout();
        _host.Dispose();
    }

    private static void Quick(OutboxOptions options)
    {
        options.PollInterval = TimeSpan.FromMilliseconds(20);
        options.LeaseDuration = TimeSpan.FromSeconds(1);
    }
}
