using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PushQueue.ClientTests.Support;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>A forwarder in a process of its own, which a test kills.</summary>
internal sealed class ForwarderProcess : IAsyncDisposable
{
    public const string Verb = "--forward-outbox";

    private readonly Process _process;

    private ForwarderProcess(Process process) => _process = process;

    public static async Task<ForwarderProcess> StartAsync(ITestDatabase database, Uri server)
    {
        var start = new ProcessStartInfo(
            "dotnet", [typeof(ForwarderProcess).Assembly.Location, Verb, database.Name, server.AbsoluteUri])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetTempPath(),
        };

        // A runtime that is killed leaves the pipes of its diagnostics in the temporary folder.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        var process = Process.Start(start) ?? throw new InvalidOperationException("The forwarder could not be started.");
        var line = await process.StandardOutput.ReadLineAsync().WithTimeout();
        return line == "forwards" ? new ForwarderProcess(process) : throw new InvalidOperationException($"The forwarder wrote '{line}'.");
    }

    /// <summary>The program itself.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var database = args[1].StartsWith("sqlite:", StringComparison.Ordinal)
            ? SqliteDatabase.OfName(args[1]["sqlite:".Length..])
            : new PostgresDatabase(args[1]["postgres:".Length..]);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddPushQueueClient(options => options.Server = new Uri(args[2]));
        builder.Services.AddDbContext<TestDb>(database.Configure);
        builder.Services.AddPushQueueOutbox<TestDb>(static options =>
        {
            options.PollInterval = TimeSpan.FromMilliseconds(10);
            options.LeaseDuration = TimeSpan.FromSeconds(1);
            options.BatchMessages = 7;
        });
        using var host = builder.Build();
        await host.StartAsync();
        Console.WriteLine("forwards");
        await host.WaitForShutdownAsync();
        return 0;
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WithTimeout();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }
}
