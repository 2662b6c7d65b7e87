using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.Streaming;

/// <summary>The writing half of a WebSocket: pages of ready frames straight into the upgraded stream.</summary>
internal sealed class WebSocketConnection(
    HttpContext context, IConsumerRights rights, CoarseClock clock, TimeProvider time, bool multiplexed) : IConsumerConnection
{
    // The time in which a client must answer our close frame with its own.
    private static readonly TimeSpan CloseAnswerTimeout = TimeSpan.FromSeconds(2);

    // Kept here because a list of consumers may be made when the request, and its context with it, has just ended.
    private readonly IPAddress? _remoteAddress = context.Connection.RemoteIpAddress;
    private readonly Socket? _socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
    private readonly TaskCompletionSource _readingEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Stream _stream = Stream.Null;
    private int _lastHeardAt = clock.Seconds;
    private volatile bool _notListening;
    private volatile bool _isCut;

    public string Transport { get; init; } = "websocket";

    public string? RemoteAddress => _remoteAddress?.ToString();

    public IConsumerRights Rights => rights;

    public MessageFormat ControlFormat { get; set; } = WebSocketFormat.Envelopes;

    public bool Multiplexed => multiplexed;

    public int? LastHeardAt => _notListening ? clock.Seconds : Volatile.Read(ref _lastHeardAt);

    /// <summary>Further work to be done about once a second; set before the connection is watched.</summary>
    public Action? Tick { get; set; }

    /// <summary>Set while we do not read, for reasons of our own: a client is not silent only because the server does not listen.</summary>
    public bool NotListening
    {
        set
        {
            Heard();
            _notListening = value;
        }
    }

    /// <summary>Before the buffer is opened.</summary>
    public void Attach(Stream stream) => _stream = stream;

    public void Heard() => Volatile.Write(ref _lastHeardAt, clock.Seconds);

    public void ReadingEnded() => _readingEnded.TrySetResult();

    public ValueTask WriteAsync(EncodedPage page) => Check(_stream.WriteAsync(page.Bytes), page.Length);

    public async ValueTask WriteAsync(IReadOnlyList<EncodedPage> pages)
    {
        var length = 0;
        foreach (var page in pages)
        {
            length += page.Length;
        }

        // One write for all: the upgraded stream flushes with each.
        var joined = ArrayPool<byte>.Shared.Rent(length);
        var end = 0;
        foreach (var page in pages)
        {
            page.Bytes.CopyTo(joined.AsMemory(end));
            end += page.Length;
        }

        try
        {
            await Check(_stream.WriteAsync(joined.AsMemory(0, length)), length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined);
        }
    }

    public void Complete(CloseReason reason) => _ = AbortUnlessAnsweredAsync();

    public void Abort(CloseReason reason)
    {
        _isCut = true;
        context.Abort();
    }

    public void OnTick() => Tick?.Invoke();

    /// <summary>The upgraded stream reports success for bytes that it dropped because the client has gone.</summary>
    private ValueTask Check(ValueTask write, int length)
    {
        // hot path: a client that took all at once is there. Messages depend on a long answer, so the socket is asked after each of those:
        // a write to one that was reset just before it completes at once, too.
        if (length > PendingTake.BytesAtOnceMax
            || !write.IsCompletedSuccessfully
            || context.RequestAborted.IsCancellationRequested)
        {
            return CheckSlowAsync(write);
        }

        // Gives a pooled source back; it has completed.
        write.GetAwaiter().GetResult();
        return default;
    }

    private async ValueTask CheckSlowAsync(ValueTask write)
    {
        await write;

        // The socket knows of an end before the web server has cancelled the request. A client never ends one direction alone.
        if (_isCut || context.RequestAborted.IsCancellationRequested
            || (_socket is not null && TcpProgress.Read(_socket) is { IsEstablished: false }))
        {
            throw new ConnectionGoneException();
        }
    }

    private async Task AbortUnlessAnsweredAsync()
    {
        try
        {
            await _readingEnded.Task.WaitAsync(CloseAnswerTimeout, time);
        }
        catch (TimeoutException)
        {
            context.Abort();
        }
    }
}
