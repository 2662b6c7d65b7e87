using System.Buffers.Text;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections.Features;
using PushQueue.Delivery;
using PushQueue.Transports.Streaming;

namespace PushQueue.Transports.SignalR;

/// <summary>A connection as SignalR sees it, over a WebSocket of our own.</summary>
internal sealed class HubSocketContext : DefaultConnectionContext,
    IConnectionHeartbeatFeature,
    IConnectionLifetimeNotificationFeature,
    ITransferFormatFeature,
    IHttpContextFeature
{
    private const int IdBytes = 16;

    // Neither has a timer or a handle, so there is nothing to dispose, and a late cancellation finds them alive.
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationTokenSource _closeRequested = new();

    private readonly Lock _gate = new();
    private (Action<object> Action, object State)[] _heartbeats = [];

    public HubSocketContext(HttpContext http, WebSocketConnection connection, OutboundBuffer buffer, PipeReader input)
        : base(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(IdBytes)))
    {
        HttpContext = http;
        User = http.User;

        // Before the handshake is answered the client would take the hub's closing notice for that answer; it gets a WebSocket close alone.
        Transport = new Duplex(input, new HubSocketOutput(buffer, this, () => connection.ControlFormat = Forms.Envelopes));
        ConnectionClosed = _closed.Token;
        ConnectionClosedRequested = _closeRequested.Token;
        LocalEndPoint = http.Connection.LocalIpAddress is { } local ? new IPEndPoint(local, http.Connection.LocalPort) : null;
        RemoteEndPoint = http.Connection.RemoteIpAddress is { } remote ? new IPEndPoint(remote, http.Connection.RemotePort) : null;
        Features.Set<IConnectionHeartbeatFeature>(this);
        Features.Set<IConnectionLifetimeNotificationFeature>(this);
        Features.Set<ITransferFormatFeature>(this);
        Features.Set<IHttpContextFeature>(this);

        // By which the hub's pushes find their way past SignalR.
        Features.Set(buffer);
    }

    public HttpContext? HttpContext { get; set; }

    public TransferFormat SupportedFormats => TransferFormat.Text | TransferFormat.Binary;

    /// <summary>SignalR sets it when the client has chosen its protocol, before it answers the handshake.</summary>
    public TransferFormat ActiveFormat { get; set; } = TransferFormat.Text;

    private HubForms Forms => HubForms.Of(packed: ActiveFormat == TransferFormat.Binary, frames: true);

    public CancellationToken ConnectionClosedRequested { get; set; }

    public void RequestClose() => _ = _closeRequested.CancelAsync();

    public void OnHeartbeat(Action<object> action, object state)
    {
        lock (_gate)
        {
            _heartbeats = [.. _heartbeats, (action, state)];
        }
    }

    /// <summary>About once a second: SignalR sends its pings and looks for silent clients.</summary>
    public void Tick()
    {
        foreach (var (action, state) in Volatile.Read(ref _heartbeats))
        {
            action(state);
        }
    }

    /// <summary>Notifies the hub that the client has gone. Its callbacks run elsewhere.</summary>
    public void OnGone() => _ = _closed.CancelAsync();

    public override void Abort(ConnectionAbortedException abortReason)
    {
        OnGone();
        HttpContext?.Abort();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
