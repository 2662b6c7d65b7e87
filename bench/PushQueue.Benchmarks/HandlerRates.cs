using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushQueue.Client;
using PushQueue.Hosting;

namespace PushQueue.Benchmarks;

/// <summary>
/// How many messages of a backlog a handler handles a second: in the process of the queue, and over one WebSocket from the same process, so
/// that server and client share its processors.
/// </summary>
internal static class HandlerRates
{
    private const int Messages = 400_000;
    private const int PerPut = 10_000;
    private const int Prefetch = 2_000;

    public static async Task PrintAsync()
    {
        foreach (var durability in (string[])["memory", "interval:50ms", "synced"])
        {
            await PrintAsync(durability, "in process", overWebSocket: false, concurrency: 1);
            await PrintAsync(durability, "one WebSocket", overWebSocket: true, concurrency: 1);
        }

        await PrintAsync("memory", "in process", overWebSocket: false, concurrency: 8);
    }

    private static async Task PrintAsync(string durability, string where, bool overWebSocket, int concurrency)
    {
        var directory = Directory.CreateTempSubdirectory("pushqueue-benchmark-");
        try
        {
            // The first round warms up.
            _ = await RunAsync(Path.Combine(directory.FullName, "warm"), durability, overWebSocket, concurrency);
            var (rate, bytes) = await RunAsync(Path.Combine(directory.FullName, "data"), durability, overWebSocket, concurrency);
            Console.WriteLine(
                $"handler, {where}, {durability}, concurrency {concurrency}, prefetch {Prefetch}: {rate:N0} messages/s, "
                    + $"{bytes:N0} bytes allocated a message");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<(double Rate, double Bytes)> RunAsync(string folder, string durability, bool overWebSocket, int concurrency)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = Messages;
        await using var app = await StartAsync(folder, durability);
        var queues = app.Services.GetRequiredService<IPushQueueClient>();
        _ = await queues.ChangeSettingsAsync("backlog", new QueueSettingsChange { Policy = "roundrobin" });
        for (var put = 0; put < Messages; put += PerPut)
        {
            _ = await queues.PutManyAsync("backlog", Enumerable.Repeat(PutMessage.Bytes(new byte[100]), PerPut));
        }

        using var remote = new PushQueueClient(app.Urls.First());
        using var stop = new CancellationTokenSource();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var begun = Stopwatch.GetTimestamp();
        var handling = (overWebSocket ? remote : queues).HandleAsync(
            "backlog",
            (_, _) =>
            {
                if (Interlocked.Decrement(ref left) == 0)
                {
                    done.SetResult();
                }

                return Task.CompletedTask;
            },
            new HandlerOptions { Concurrency = concurrency, Prefetch = Prefetch },
            stop.Token);
        await Task.WhenAny(done.Task, handling);
        await stop.CancelAsync();

        // The acks count, too.
        await handling;
        var elapsed = Stopwatch.GetElapsedTime(begun);
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        var rest = await queues.GetQueueAsync("backlog");
        await app.StopAsync();
        return rest is { Ready: 0, Leased: 0 }
            ? (Messages / elapsed.TotalSeconds, (double)allocated / Messages)
            : throw new InvalidOperationException($"{rest?.Ready} messages were not handled, {rest?.Leased} not acknowledged.");
    }

    internal static async Task<WebApplication> StartAsync(string folder, string durability)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, static listen => listen.UseDirectSocketOutput().Protocols = HttpProtocols.Http1));
        builder.Services.AddPushQueue(options =>
        {
            options.Storage.DataDirectory = folder;
            options.Storage.Durability = durability;
        });
        var app = builder.Build();
        app.MapPushQueue();
        await app.StartAsync();
        return app;
    }
}
