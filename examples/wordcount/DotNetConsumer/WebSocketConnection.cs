using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace DotNetConsumer;

/// <summary>The two directions of a WebSocket as pipes. SignalR ends each record by itself, so where a frame ends means nothing here.</summary>
internal sealed class WebSocketConnection : ConnectionContext, IDuplexPipe
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    private readonly ClientWebSocket _socket;
    private readonly Pipe _received = new();
    private readonly Pipe _sent = new();
    private readonly Task _receiving;
    private readonly Task _sending;

    public WebSocketConnection(ClientWebSocket socket)
    {
        _socket = socket;
        _receiving = ReceiveAsync();
        _sending = SendAsync();
        Transport = this;
    }

    public override string ConnectionId { get; set; } = string.Empty;

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    PipeReader IDuplexPipe.Input => _received.Reader;

    PipeWriter IDuplexPipe.Output => _sent.Writer;

    public override void Abort(ConnectionAbortedException abortReason) => _socket.Abort();

    public override async ValueTask DisposeAsync()
    {
        await _sent.Writer.CompleteAsync();
        await _received.Reader.CompleteAsync();
        await _sending;
        try
        {
            await _receiving.WaitAsync(CloseTimeout, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            _socket.Abort();
            await _receiving;
        }

        _socket.Dispose();
        await base.DisposeAsync();
    }

    private async Task ReceiveAsync()
    {
        Exception? failure = null;
        try
        {
            while (await _socket.ReceiveAsync(_received.Writer.GetMemory(), CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } part)
            {
                _received.Writer.Advance(part.Count);

                // A reader that has gone still has to hear the other side's close frame.
                _ = await _received.Writer.FlushAsync();
            }
        }
        catch (WebSocketException e)
        {
            failure = e;
        }

        await _received.Writer.CompleteAsync(failure);
    }

    private async Task SendAsync()
    {
        try
        {
            while (await _sent.Reader.ReadAsync() is { Buffer: var buffer } read)
            {
                await SendAsync(buffer);
                _sent.Reader.AdvanceTo(buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }

            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The connection is gone; the receiving half tells why.
        }

        await _sent.Reader.CompleteAsync();
    }

    private async Task SendAsync(ReadOnlySequence<byte> message)
    {
        while (!message.IsEmpty)
        {
            var part = message.First;
            message = message.Slice(part.Length);
            await _socket.SendAsync(part, WebSocketMessageType.Text, endOfMessage: message.IsEmpty, CancellationToken.None);
        }
    }
}
