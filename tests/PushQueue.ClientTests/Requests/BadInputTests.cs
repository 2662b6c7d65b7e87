using System.Net;
using System.Net.Sockets;
using System.Text;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Requests;

/// <summary>Failures have a type, come in time, and leave nothing behind.</summary>
public sealed class BadInputTests : NodeTests
{
    [Fact]
    public async Task A_server_that_is_down_is_unreachable()
    {
        using var client = Node.NewClient(options =>
        {
            options.Server = TestNode.DeadAddress();
            options.Retry = new RetryOptions { Attempts = 2, FirstDelay = TimeSpan.FromMilliseconds(1) };
        });

        Assert.Equal(ProblemTypes.Unreachable, await TypeOfAsync(() => client.PutAsync("q", "x")));
        Assert.Equal(ProblemTypes.Unreachable, await TypeOfAsync(() => FirstAsync(client, ConsumeTransport.WebSocket)));
        Assert.Equal(ProblemTypes.Unreachable, await TypeOfAsync(() => FirstAsync(client, ConsumeTransport.SignalR)));
    }

    [Fact]
    public async Task Another_web_server_is_not_taken_for_a_queue()
    {
        await using var other = new OtherServer();
        using var client = Node.NewClient(options => options.Server = other.Address);

        Assert.Equal(ProblemTypes.BadAnswer, await TypeOfAsync(() => client.PutAsync("q", "x")));
        Assert.Equal(ProblemTypes.BadAnswer, await TypeOfAsync(() => client.GetStatsAsync()));
        Assert.Equal(ProblemTypes.BadAnswer, await TypeOfAsync(() => client.TakeAsync("q")));
        Assert.Equal(ProblemTypes.BadAnswer, await TypeOfAsync(() => FirstAsync(client, ConsumeTransport.WebSocket)));
    }

    [Fact]
    public void An_address_that_is_none_is_refused_at_once() =>
        Assert.Throws<ArgumentException>(() => new PushQueueClient("ftp://127.0.0.1"));

    [Fact]
    public async Task An_oversized_message_is_refused()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        var body = new byte[(1024 * 1024) + 1];

        Assert.Equal(ProblemTypes.MessageTooLarge, await TypeOfAsync(() => Node.Client.PutAsync(queue, PutMessage.Bytes(body))));
        Assert.Equal(0, (await Node.Client.GetQueueAsync(queue).WithTimeout())!.Ready);
    }

    [Fact]
    public async Task Impossible_options_are_told_by_request_and_by_stream()
    {
        var bad = new PutOptions { Priority = 12 };

        Assert.Equal(ProblemTypes.BadOption, await TypeOfAsync(() => Node.Client.PutAsync("q", "x", bad)));
        foreach (var transport in Enum.GetValues<ConsumeTransport>())
        {
            Assert.Equal(ProblemTypes.BadOption, await TypeOfAsync(
                () => Node.Client.ConsumeAsync(
                "q", new ConsumeOptions { Transport = transport, From = "nowhere.at.all" }).FirstAsync().AsTask()));
        }
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    public async Task An_id_that_would_change_the_path_never_leaves_the_client(string id)
    {
        var queue = await Node.NewQueueAsync("roundrobin");

        Assert.Equal(ProblemTypes.BadOption, await TypeOfAsync(() => Node.Client.CancelAsync(queue, id)));
        Assert.NotNull(await Node.Client.GetQueueAsync(queue).WithTimeout());
    }

    [Fact]
    public async Task What_is_cancelled_half_way_ends_at_once_and_leaves_the_client_usable()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        using var cancel = new CancellationTokenSource();
        var taking = Node.Client.TakeAsync(queue, wait: TimeSpan.FromSeconds(50), cancellationToken: cancel.Token);
        await using var messages = Node.Client.ConsumeAsync(queue, null, cancel.Token).GetAsyncEnumerator(cancel.Token);
        var next = messages.MoveNextAsync().AsTask();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking).WithTimeout();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next).WithTimeout();
        Assert.NotNull(await Node.Client.PutAsync(queue, "x").WithTimeout());
    }

    [Fact]
    public async Task A_request_outlives_a_server_that_is_away_for_a_while()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        using var client = Node.NewClient(options => options.Retry = new RetryOptions { Attempts = 1000 });
        await Node.StopServerAsync(kill: false);

        var putting = client.PutAsync(queue, "x", new PutOptions { Id = "x" });
        await Node.StartServerAsync();

        Assert.Equal("x", (await putting.WithTimeout()).Id);
    }

    [Fact]
    public async Task A_put_without_an_id_is_not_repeated_when_nobody_knows_whether_it_was_done()
    {
        await using var silent = new OtherServer(answer: null);
        using var client = Node.NewClient(options => options.Server = silent.Address);

        Assert.Equal(ProblemTypes.ConnectionLost, await TypeOfAsync(() => client.PutAsync("q", "x")));
        Assert.Equal(1, silent.Requests);
        Assert.Equal(ProblemTypes.ConnectionLost, await TypeOfAsync(() => client.PutAsync("q", "x", new PutOptions { Id = "x" })));
        Assert.Equal(1 + new RetryOptions().Attempts, silent.Requests);
    }

    [Fact]
    public async Task A_clock_that_is_years_wrong_changes_nothing()
    {
        var queue = await Node.NewQueueAsync("roundrobin");
        using var client = Node.NewClient(options => options.TimeProvider = new SkewedTime());
        await client.PutAsync(queue, "x").WithTimeout();

        await using var messages = client.ConsumeAsync(
            queue, new ConsumeOptions { Ack = AckMode.Manual, TimeToRun = TimeSpan.FromMinutes(1) }).GetAsyncEnumerator();
        Assert.True(await messages.MoveNextAsync().AsTask().WithTimeout());

        Assert.False(messages.Current.Ended.IsCancellationRequested);
        Assert.True(await messages.Current.AckAsync().WithTimeout());
    }

    private static async Task<string> TypeOfAsync(Func<Task> call) =>
        (await Assert.ThrowsAsync<PushQueueException>(call).WithTimeout()).Type;

    private static Task FirstAsync(PushQueueClient client, ConsumeTransport transport) =>
        client.ConsumeAsync("q", new ConsumeOptions { Transport = transport }).FirstAsync().AsTask();

    private sealed class SkewedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddYears(-7);
    }

    /// <summary>Answers every request with a page, or closes the connection without an answer.</summary>
    private sealed class OtherServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly byte[]? _answer;
        private readonly Task _serving;
        private int _requests;

        public OtherServer(string? answer = "<html>Hello</html>")
        {
            _answer = answer is null ? null : Encoding.ASCII.GetBytes(
                $"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {answer.Length}\r\nConnection: close\r\n\r\n{answer}");
            _listener.Start();
            Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
            _serving = ServeAsync();
        }

        public Uri Address { get; }

        public int Requests => _requests;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var socket = await _listener.AcceptSocketAsync();
                    _ = await socket.ReceiveAsync(new byte[64 * 1024]);
                    Interlocked.Increment(ref _requests);
                    if (_answer is not null)
                    {
                        await socket.SendAsync(_answer);
                        socket.Shutdown(SocketShutdown.Send);
                        while (await socket.ReceiveAsync(new byte[1024]) > 0)
                        {
                            // Until the client has read the answer and closed.
                        }
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The test is over.
            }
        }
    }
}
