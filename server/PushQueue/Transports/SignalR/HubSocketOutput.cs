using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Streaming;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// SignalR's own output to a client: answers, stream items, pings. A flush makes one WebSocket frame of what was written since the
/// one before and hands it to the connection's buffer, in line with the pages. It is pending while the buffer has no room, so SignalR,
/// which has one write under way, waits too. Holds no memory between flushes.
/// </summary>
/// <param name="buffer">The connection's.</param>
/// <param name="format">Whether frames are text or binary; null for text.</param>
/// <param name="onHandshakeAnswer">Called once, just before the first frame, which is the answer to the handshake.</param>
internal sealed class HubSocketOutput(
    OutboundBuffer buffer, ITransferFormatFeature? format = null, Action? onHandshakeAnswer = null) : PipeWriter
{
    private const int BlockBytesMin = 512;

    private readonly Lock _gate = new();
    private byte[]? _block;

    // The frame's header goes in front of what is written, once its length is known.
    private int _end = WebSocketFormat.HeaderBytesMax;
    private TaskCompletionSource? _pending;
    private bool _cancelNext;
    private Action? _onHandshakeAnswer = onHandshakeAnswer;
    private PendingTake? _pendingTake;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _end - WebSocketFormat.HeaderBytesMax;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _block.AsMemory(_end);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _block.AsSpan(_end);
    }

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, (_block?.Length ?? _end) - _end);
        _end += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (TakeFrame() is { } frame)
        {
            // Before the client can have the answer: it may break the protocol at once, and then gets the hub's own error.
            _onHandshakeAnswer?.Invoke();
            _onHandshakeAnswer = null;
            _ = buffer.Offer(frame, observer: _pendingTake is null ? null : WrittenTake.Of(_pendingTake));
            _pendingTake = null;
        }

        var room = buffer.WaitForRoomAsync();
        lock (_gate)
        {
            if (_cancelNext)
            {
                _cancelNext = false;
                return new ValueTask<FlushResult>(new FlushResult(isCanceled: true, isCompleted: !buffer.IsOpen));
            }

            if (room.IsCompleted)
            {
                return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: !buffer.IsOpen));
            }

            _pending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return WaitAsync(room, _pending, cancellationToken);
        }
    }

    /// <summary>The take's answer is in what is flushed next. SignalR flushes each message by itself.</summary>
    public void Observe(PendingTake take) => _pendingTake = take;

    /// <summary>As with a pipe: cancels the flush that is pending, or else the next one.</summary>
    public override void CancelPendingFlush()
    {
        lock (_gate)
        {
            _cancelNext = _pending is null;
            _pending?.TrySetResult();
        }
    }

    public override void Complete(Exception? exception = null) => DropBlock();

    private async ValueTask<FlushResult> WaitAsync(Task room, TaskCompletionSource cancelled, CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), cancelled))
        {
            _ = await Task.WhenAny(room, cancelled.Task);
        }

        lock (_gate)
        {
            _pending = null;
        }

        cancellationToken.ThrowIfCancellationRequested();
        return new FlushResult(isCanceled: !room.IsCompleted, isCompleted: !buffer.IsOpen);
    }

    private EncodedPage? TakeFrame()
    {
        var length = _end - WebSocketFormat.HeaderBytesMax;
        if (length == 0)
        {
            DropBlock();
            return null;
        }

        Span<byte> header = stackalloc byte[WebSocketFormat.HeaderBytesMax];
        var kind = format?.ActiveFormat == TransferFormat.Binary ? WebSocketFormat.FinalBinary : WebSocketFormat.FinalText;
        header = header[..WebSocketFormat.WriteHeader(header, kind, length)];
        var start = WebSocketFormat.HeaderBytesMax - header.Length;
        header.CopyTo(_block.AsSpan(start));

        // A copy of just its size, because it may wait for long.
        var frame = new EncodedPage(_block.AsSpan(start.._end).ToArray());
        DropBlock();
        return frame;
    }

    private void Reserve(int bytes)
    {
        if (_block is null)
        {
            _block = ArrayPool<byte>.Shared.Rent(Math.Max(_end + bytes, BlockBytesMin));
        }
        else if (_block.Length - _end < bytes)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_block.Length * 2, _end + bytes));
            _block.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_block);
            _block = larger;
        }
    }

    private void DropBlock()
    {
        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = null;
        }

        _end = WebSocketFormat.HeaderBytesMax;
    }
}
