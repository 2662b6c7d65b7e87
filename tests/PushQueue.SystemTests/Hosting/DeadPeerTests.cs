using System.Diagnostics;
using System.Text.Json;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Hosting;

public sealed class DeadPeerTests : IDisposable
{
    // The promise of docs/protocol.md.
    private static readonly TimeSpan GoneWithin = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly string[] Queues = ["sse", "lines", "restmq", "idle"];

    private readonly TemporaryDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Consumers_whose_machine_vanished_without_a_word_are_gone_within_45_seconds()
    {
        await using var machine = await NetworkNamespace.CreateAsync();
        await using var server = await ServerProcess.StartAsync(
            _data.Path,
            "--listen",
            machine.HostAddress,
            "--open",
            "--restmq-port",
            "0");
        foreach (var queue in Queues[..3])
        {
            _ = (await server.Client.PostAsync($"/p/{queue}?policy=roundrobin", null)).EnsureSuccessStatusCode();
        }

        var clients = new[] { "/sse/sse", "/c/lines", "/sse/idle", "/q/take?wait=60s" }
            .Select(path => machine.Start("curl", "-sN", new Uri(server.Address, path).ToString()))
            .Append(machine.Start("curl", "-sN", new Uri(server.AddressOf("restmq"), "/c/restmq").ToString()))
            .ToList();
        try
        {
            await UntilAsync(async () => await CountAsync(server) == 4, Patience);
            await UntilAsync(async () => await WaitingTakesAsync(server) == 1, Patience);

            await machine.FallSilentAsync();
            var since = Stopwatch.StartNew();

            // Data is under way to three of them, the others are idle.
            foreach (var queue in Queues[..3])
            {
                _ = (await server.Client.PostAsync($"/q/{queue}", new StringContent("lost"))).EnsureSuccessStatusCode();
            }

            await UntilAsync(async () => await CountAsync(server) == 0 && await WaitingTakesAsync(server) == 0, GoneWithin);
            Assert.InRange(since.Elapsed, TimeSpan.Zero, GoneWithin);
        }
        finally
        {
            foreach (var client in clients)
            {
                client.Kill(entireProcessTree: true);
                await client.WaitForExitAsync();
                client.Dispose();
            }
        }
    }

    private static async Task<int> CountAsync(ServerProcess server)
    {
        var count = 0;
        foreach (var queue in Queues)
        {
            using var consumers = JsonDocument.Parse(await server.Client.GetStringAsync($"/q/{queue}/consumers"));
            count += consumers.RootElement.GetProperty("consumers").GetArrayLength();
        }

        return count;
    }

    private static async Task<int> WaitingTakesAsync(ServerProcess server)
    {
        using var stats = JsonDocument.Parse(await server.Client.GetStringAsync("/stats"));
        return stats.RootElement.GetProperty("node").GetProperty("waitingTakes").GetInt32();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan patience)
    {
        using var timeout = new CancellationTokenSource(patience);
        while (!await condition())
        {
            await Task.Delay(200, timeout.Token);
        }
    }
}
