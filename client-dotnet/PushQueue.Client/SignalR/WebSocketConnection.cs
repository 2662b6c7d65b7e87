using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace PushQueue.Client.SignalR;

/// <summary>The two directions of a WebSocket as pipes. SignalR ends each record by itself, so where a frame ends means nothing
/// here.</summary>
internal sealed class WebSocketConnection : DefaultConnectionContext
{
    private const int SegmentBytes = 64 * 1024;
    private const int WaitingBytesMax = 1024 * 1024;

    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    private static readonly PipeOptions PipeOptions = new(
        pauseWriterThreshold: WaitingBytesMax,
        resumeWriterThreshold: WaitingBytesMax / 2,
        minimumSegmentSize: SegmentBytes,
        useSynchronizationContext: false);

    private readonly ClientWebSocket _socket;
    private readonly Pipe _received = new(PipeOptions);
    private readonly Pipe _sent = new(PipeOptions);
    private readonly Task _receiving;
    private readonly Task _sending;

    public WebSocketConnection(ClientWebSocket socket, EndPoint endpoint)
        : base(string.Empty)
    {
        _socket = socket;
        RemoteEndPoint = endpoint;
        Transport = new Duplex(_received.Reader, _sent.Writer);
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    public override void Abort(ConnectionAbortedException abortReason) => _socket.Abort();

    public override async ValueTask DisposeAsync()
    {
        await _sent.Writer.CompleteAsync().ConfigureAwait(false);
        await _received.Reader.CompleteAsync().ConfigureAwait(false);
        var both = Task.WhenAll(_sending, _receiving);
        try
        {
            await both.WaitAsync(CloseTimeout, TimeProvider.System).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A server that neither reads nor answers the close.
            _socket.Abort();
            await both.ConfigureAwait(false);
        }

        _socket.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private async Task ReceiveAsync()
    {
        Exception? failure = null;
        try
        {
            while (await _socket.ReceiveAsync(_received.Writer.GetMemory(), CancellationToken.None).ConfigureAwait(false)
                is { MessageType: not WebSocketMessageType.Close } part)
            {
                _received.Writer.Advance(part.Count);

                // A reader that has gone still has to hear the other side's close frame.
                _ = await _received.Writer.FlushAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            failure = e is WebSocketException ? e : new WebSocketException(WebSocketError.ConnectionClosedPrematurely, e);
        }

        await _received.Writer.CompleteAsync(failure).ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        try
        {
            while (await _sent.Reader.ReadAsync().ConfigureAwait(false) is { Buffer: var buffer } read)
            {
                await SendAsync(buffer).ConfigureAwait(false);
                _sent.Reader.AdvanceTo(buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }

            await _socket.CloseOutputAsync(
                WebSocketCloseStatus.NormalClosure, statusDescription: null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or InvalidOperationException)
        {
            // The connection is gone; the receiving half tells why.
        }

        await _sent.Reader.CompleteAsync().ConfigureAwait(false);
    }

    private async Task SendAsync(ReadOnlySequence<byte> message)
    {
        while (!message.IsEmpty)
        {
            var part = message.First;
            message = message.Slice(part.Length);
            await _socket.SendAsync(
                part, WebSocketMessageType.Text, endOfMessage: message.IsEmpty, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
