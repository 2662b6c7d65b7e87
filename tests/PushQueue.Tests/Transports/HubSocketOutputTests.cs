using System.Buffers;
using System.IO.Pipelines;
using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections.Features;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Tests.Support;
using PushQueue.Transports.SignalR;
using PushQueue.Transports.Streaming;
using Xunit;

namespace PushQueue.Tests.Transports;

public sealed class HubSocketOutputTests
{
    private const int BufferBytesMax = 4096;

    private readonly Connection _connection = new();
    private readonly OutboundBuffer _buffer;
    private readonly HubSocketOutput _output;

    public HubSocketOutputTests()
    {
        _buffer = new OutboundBuffer(_connection, new CoarseClock(), new DeliveryOptions { BufferBytesMax = BufferBytesMax });
        _buffer.Open();
        _output = new HubSocketOutput(_buffer);
    }

    [Fact]
    public async Task A_flush_makes_one_frame_of_all_that_was_written_and_none_of_nothing()
    {
        _output.Write("one"u8);
        _output.Write(Encoding.ASCII.GetBytes(new string('2', 600)));
        _ = await _output.FlushAsync();
        _ = await _output.FlushAsync();
        _ = await _output.WriteAsync("x"u8.ToArray());

        Assert.Equal(2, _connection.Pages.Count);
        Assert.Equal(new byte[] { 0x81, 126, 603 >> 8, 603 & 0xFF }, _connection.Pages[0][..4]);
        Assert.Equal("one" + new string('2', 600), Encoding.ASCII.GetString(_connection.Pages[0][4..]));
        Assert.Equal([0x81, 1, (byte)'x'], _connection.Pages[1]);
    }

    [Fact]
    public async Task A_flush_waits_while_the_connection_has_no_room()
    {
        _connection.Blocked = new TaskCompletionSource();
        var first = await _output.WriteAsync(new byte[10]);
        var waiting = _output.WriteAsync(new byte[BufferBytesMax]).AsTask();

        Assert.False(first.IsCompleted);
        Assert.False(waiting.IsCompleted);
        _connection.Blocked.SetResult();

        Assert.False((await waiting.WithTimeout()).IsCanceled);
        Assert.Equal(2, _connection.Pages.Count);
    }

    [Fact]
    public async Task A_flush_that_waits_can_be_cancelled_and_so_can_the_next_one()
    {
        _connection.Blocked = new TaskCompletionSource();
        _ = await _output.WriteAsync(new byte[10]);
        var waiting = _output.WriteAsync(new byte[BufferBytesMax]).AsTask();

        _output.CancelPendingFlush();
        Assert.True((await waiting.WithTimeout()).IsCanceled);
        _output.CancelPendingFlush();
        Assert.True((await _output.WriteAsync(new byte[1])).IsCanceled);

        _connection.Blocked.SetResult();
        Assert.False((await _output.WriteAsync(new byte[1]).WithTimeout()).IsCanceled);
        Assert.Equal(4, _connection.Pages.Count);
    }

    [Fact]
    public async Task A_closed_connection_completes_what_waits_and_what_comes()
    {
        _connection.Blocked = new TaskCompletionSource();
        _ = await _output.WriteAsync(new byte[10]);
        var waiting = _output.WriteAsync(new byte[BufferBytesMax]).AsTask();

        _buffer.Close(CloseReason.SlowConsumer, keepWaiting: false);

        Assert.True((await waiting.WithTimeout()).IsCompleted);
        Assert.True((await _output.WriteAsync(new byte[1])).IsCompleted);
    }

    [Fact]
    public void The_connection_offers_what_hubs_ask_for()
    {
        var http = new DefaultHttpContext { User = new ClaimsPrincipal(new ClaimsIdentity("test")) };
        var connection = new WebSocketConnection(http, new AllRights(), new CoarseClock(), TimeProvider.System, multiplexed: true);
        var context = new HubSocketContext(http, connection, _buffer, new Pipe().Reader);
        var beats = 0;
        context.Features.Get<IConnectionHeartbeatFeature>()!.OnHeartbeat(_ => beats++, this);

        context.Tick();
        context.Tick();

        Assert.Equal(2, beats);
        Assert.Same(http, context.Features.Get<IHttpContextFeature>()!.HttpContext);
        Assert.Same(http.User, context.Features.Get<IConnectionUserFeature>()!.User);
        Assert.Equal(context.ConnectionId, context.Features.Get<IConnectionIdFeature>()!.ConnectionId);
        Assert.Equal(22, context.ConnectionId.Length);
        Assert.False(context.Features.Get<IConnectionLifetimeFeature>()!.ConnectionClosed.IsCancellationRequested);
        context.OnGone();
        Assert.True(context.ConnectionClosed.IsCancellationRequested);
    }

    private sealed class Connection : IConsumerConnection
    {
        public IConsumerRights Rights { get; } = new AllRights();

        public List<byte[]> Pages { get; } = [];

        /// <summary>Writes stay pending until this is completed.</summary>
        public TaskCompletionSource? Blocked { get; set; }

        public string Transport => "test";

        public string? RemoteAddress => null;

        public MessageFormat ControlFormat => HubFrameFormat.Envelopes;

        public bool Multiplexed => true;

        public int? LastHeardAt => null;

        public ValueTask WriteAsync(EncodedPage page)
        {
            Pages.Add(page.Bytes.ToArray());
            return Blocked is null ? default : new ValueTask(Blocked.Task);
        }

        public async ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
        {
            foreach (var page in pages)
            {
                await WriteAsync(page);
            }
        }

        public void Complete(CloseReason reason)
        {
        }

        public void Abort(CloseReason reason)
        {
        }
    }
}
