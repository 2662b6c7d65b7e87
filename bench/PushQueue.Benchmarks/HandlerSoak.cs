using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client;

namespace PushQueue.Benchmarks;

/// <summary>
/// Handlers at a steady pace, in the process of the queue and over one WebSocket; every twentieth message fails once. Prints a line a
/// minute: the heap after a collection, what a message allocated, threads and handles. They must not grow.
/// </summary>
internal static class HandlerSoak
{
    private const int PutsPerSecond = 200;
    private const int FailsOnceEvery = 20;

    public static async Task PrintAsync(TimeSpan length)
    {
        var directory = Directory.CreateTempSubdirectory("pushqueue-benchmark-");
        try
        {
            await RunAsync(directory.FullName, length);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task RunAsync(string folder, TimeSpan length)
    {
        await using var app = await HandlerRates.StartAsync(folder, "synced");
        var local = app.Services.GetRequiredService<IPushQueueClient>();
        using var remote = new PushQueueClient(app.Urls.First());
        using var stop = new CancellationTokenSource();
        var handled = 0L;
        var failed = 0L;
        var puts = 0L;

        Task Handle(Message message, CancellationToken ended)
        {
            var order = message.Read<Order>();
            if (order?.Number % FailsOnceEvery == 0 && message.Attempt == 1)
            {
                _ = Interlocked.Increment(ref failed);
                throw new RetryAfterException(TimeSpan.FromMilliseconds(100));
            }

            _ = Interlocked.Increment(ref handled);
            return Task.CompletedTask;
        }

        Task[] handling =
        [
            local.HandleAsync("local", Handle, new HandlerOptions { Concurrency = 4 }, stop.Token),
            remote.HandleAsync("remote", Handle, new HandlerOptions { Concurrency = 4 }, stop.Token),
        ];
        Console.WriteLine(
            "| minute | heap MB | allocated a message, bytes | threads | handles | resident MB | put | handled | failed once |");
        Console.WriteLine("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var began = Stopwatch.GetTimestamp();
        var (allocatedBefore, handledBefore) = (GC.GetTotalAllocatedBytes(), 0L);
        for (var second = 1; Stopwatch.GetElapsedTime(began) < length; second++)
        {
            for (var put = 0; put < PutsPerSecond; put++)
            {
                var order = new Order(puts++, "a text of a few words");
                _ = await (put % 2 == 0 ? local : remote).PutAsync(
                    put % 4 < 2 ? "local" : "remote", order, new PutOptions { Key = $"customer-{put}" }, stop.Token);
            }

            if (second % 60 == 0)
            {
                var (allocated, count) = (GC.GetTotalAllocatedBytes() - allocatedBefore, Interlocked.Read(ref handled));
                var heap = GC.GetTotalMemory(forceFullCollection: true);
                using var process = Process.GetCurrentProcess();
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {second / 60} | {heap / 1e6:F1} | {(double)allocated / (count - handledBefore):F0} | {process.Threads.Count} | "
                        + $"{Directory.GetFiles("/proc/self/fd").Length} | {process.WorkingSet64 / 1e6:F0} | {puts} | {count} | "
                        + $"{Interlocked.Read(ref failed)} |"));
                (allocatedBefore, handledBefore) = (GC.GetTotalAllocatedBytes(), count);
            }

            _ = await pace.WaitForNextTickAsync(stop.Token);
        }

        await stop.CancelAsync();
        await Task.WhenAll(handling);
        await app.StopAsync();
    }

    private sealed record Order(long Number, string Text);
}
