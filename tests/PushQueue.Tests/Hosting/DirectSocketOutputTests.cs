using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using PushQueue.Hosting;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Hosting;

/// <summary>The output over a real socket whose peer reads when the test says so.</summary>
public sealed class DirectSocketOutputTests : IAsyncLifetime
{
    // More than the socket buffers of both ends take.
    private const int Large = 16 * 1024 * 1024;

    private readonly Pipe _original = new();
    private Socket _server = null!;
    private Socket _client = null!;
    private DirectSocketOutput _output = null!;

    public async ValueTask InitializeAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await _client.ConnectAsync(listener.LocalEndPoint!).WithTimeout();
        _server = await listener.AcceptAsync().WithTimeout();
        _output = new DirectSocketOutput(_server, _original.Writer);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _server.Dispose();
        return default;
    }

    [Fact]
    public async Task A_flush_that_the_socket_takes_in_parts_sends_every_byte_once_and_in_order()
    {
        var flush = WriteAsync(Large);
        Assert.False(flush.IsCompleted);

        await AssertReceivedAsync(Large);

        Assert.False((await flush.WithTimeout()).IsCompleted);
    }

    [Fact]
    public async Task Writes_behind_a_cancelled_flush_come_after_its_bytes()
    {
        var first = WriteAsync(Large);
        _output.CancelPendingFlush();
        Assert.True((await first.WithTimeout()).IsCanceled);

        var second = WriteAsync(1000, from: Large);
        await AssertReceivedAsync(Large + 1000);

        Assert.False((await second.WithTimeout()).IsCanceled);
    }

    [Fact]
    public async Task A_connection_that_is_cut_in_the_middle_of_a_flush_reports_that_nobody_reads()
    {
        var flush = WriteAsync(Large);
        await ReceiveAsync(100_000);

        _client.LingerState = new LingerOption(enable: true, seconds: 0);
        _client.Close();

        Assert.True((await flush.WithTimeout()).IsCompleted);
        Assert.True((await WriteAsync(1).WithTimeout()).IsCompleted);
    }

    [Fact]
    public async Task Completing_sends_what_was_written_and_completes_the_original()
    {
        var bytes = _output.GetSpan(Large);
        Fill(bytes[..Large], 0);
        _output.Advance(Large);

        _output.Complete();
        await AssertReceivedAsync(Large);

        Assert.True((await _original.Reader.ReadAsync().AsTask().WithTimeout()).IsCompleted);
    }

    private async Task<FlushResult> WriteAsync(int length, int from = 0)
    {
        Fill(_output.GetSpan(length)[..length], from);
        _output.Advance(length);
        return await _output.FlushAsync();
    }

    private async Task AssertReceivedAsync(int length)
    {
        var received = await ReceiveAsync(length);
        var expected = new byte[length];
        Fill(expected, 0);
        Assert.True(expected.AsSpan().SequenceEqual(received));
    }

    private async Task<byte[]> ReceiveAsync(int length)
    {
        var received = new byte[length];
        var end = 0;
        while (end < length)
        {
            var read = await _client.ReceiveAsync(received.AsMemory(end)).AsTask().WithTimeout();
            Assert.NotEqual(0, read);
            end += read;
        }

        return received;
    }

    /// <summary>A pattern whose period is not a power of two, so that a lost or repeated block shows.</summary>
    private static void Fill(Span<byte> bytes, int from)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)((from + i) % 251);
        }
    }
}
