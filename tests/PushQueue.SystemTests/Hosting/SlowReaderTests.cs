using System.Net.Sockets;
using System.Text;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.SystemTests.Hosting;

public sealed class SlowReaderTests : IDisposable
{
    private const int Readers = 1000;

    // 160 MiB: what the pending writes of all readers and the store's cache need together is more.
    private const string HeapLimit = "0xA000000";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Readers_that_do_not_read_are_closed_before_the_memory_ends_and_one_that_reads_misses_nothing()
    {
        await using var server = await ServerProcess.StartInAsync(
            Path.GetTempPath(), ("DOTNET_GCHeapHardLimit", HeapLimit), "--data", _data.Path, "--durability", "memory");
        using var answer = await server.Client.GetAsync("/c/news?format=raw", HttpCompletionOption.ResponseHeadersRead);
        using var stream = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var sockets = new List<TcpClient>();
        try
        {
            for (var i = 0; i < Readers; i++)
            {
                sockets.Add(await OpenAsync(server));
            }

            var body = new string('x', 64 * 1024);
            var put = 0;
            using var timeout = new CancellationTokenSource(Patience);
            while (!await HasCutAsync(server, timeout.Token))
            {
                using var content = new StringContent($"{put} {body}");
                using var stored = await server.Client.PostAsync("/q/news", content, timeout.Token);

                // Too many requests: the memory of those that are being closed is not released yet.
                Assert.Contains((int)stored.StatusCode, new[] { 201, 429 });
                if ((int)stored.StatusCode == 201)
                {
                    Assert.StartsWith($"{put} xx", await NextLineAsync(stream, timeout.Token), StringComparison.Ordinal);
                    put++;
                }
            }

            Assert.Equal("ok", (await server.Client.GetStringAsync("/healthz", timeout.Token)).Trim()[..2]);
        }
        finally
        {
            sockets.ForEach(static socket => socket.Dispose());
        }
    }

    /// <summary>The next message; an empty line is a heartbeat.</summary>
    private static async Task<string?> NextLineAsync(StreamReader stream, CancellationToken cancellationToken)
    {
        string? line;
        do
        {
            line = await stream.ReadLineAsync(cancellationToken);
        }
        while (line is { Length: 0 });

        return line;
    }

    /// <summary>A reader that asks for the stream and never reads it.</summary>
    private static async Task<TcpClient> OpenAsync(ServerProcess server)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(server.Address.Host, server.Address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /c/news HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        return client;
    }

    private static async Task<bool> HasCutAsync(ServerProcess server, CancellationToken cancellationToken) =>
        (await server.Client.GetStringAsync("/metrics", cancellationToken)).Contains("limit=\"buffers-bytes\"", StringComparison.Ordinal);
}
