using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace PushQueue.Tests.Support;

/// <summary>WebSocket without negotiation for SignalR's .NET client.</summary>
internal sealed class WebSocketConnectionFactory : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new ClientWebSocket();
        try
        {
            await socket.ConnectAsync(((UriEndPoint)endpoint).Uri, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new Connection(socket);
    }

    private sealed class Connection : DefaultConnectionContext
    {
        private readonly ClientWebSocket _socket;
        private readonly Pipe _received = new();
        private readonly Pipe _sent = new();
        private readonly Task _receiving;
        private readonly Task _sending;

        public Connection(ClientWebSocket socket)
            : base("test")
        {
            _socket = socket;
            Transport = new Duplex(_received.Reader, _sent.Writer);
            _receiving = ReceiveAsync();
            _sending = SendAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await _sent.Writer.CompleteAsync();
            await _sending;
            await _received.Reader.CompleteAsync();
            await _receiving;
            _socket.Dispose();
        }

        private async Task ReceiveAsync()
        {
            try
            {
                while (await _socket.ReceiveAsync(_received.Writer.GetMemory(), CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } part)
                {
                    _received.Writer.Advance(part.Count);
                    _ = await _received.Writer.FlushAsync();
                }

                await _received.Writer.CompleteAsync();
            }
            catch (WebSocketException e)
            {
                await _received.Writer.CompleteAsync(e);
            }
        }

        private async Task SendAsync()
        {
            try
            {
                while (await _sent.Reader.ReadAsync() is { } read && !(read.IsCompleted && read.Buffer.IsEmpty))
                {
                    foreach (var segment in read.Buffer)
                    {
                        await _socket.SendAsync(segment, WebSocketMessageType.Text, endOfMessage: false, CancellationToken.None);
                    }

                    await _socket.SendAsync(ReadOnlyMemory<byte>.Empty, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                    _sent.Reader.AdvanceTo(read.Buffer.End);
                }

                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            }
            catch (WebSocketException)
            {
                // The server ended first; what receives sees why.
            }
            finally
            {
                await _sent.Reader.CompleteAsync();
            }
        }

        private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
    }
}
