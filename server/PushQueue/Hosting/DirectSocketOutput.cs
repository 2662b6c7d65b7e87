using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace PushQueue.Hosting;

/// <summary>
/// A connection's output without a pipe: bytes gather in one pooled block and a flush sends them straight to the socket, which tries the
/// system call on the calling thread. The server's own output pipe would copy them once more and hop to another thread for each
/// flush. Holds no buffer between flushes. A flush is pending while the socket is full, and there is never more than one send.
/// Completing it completes the server's own output, whose loop then shuts the socket down in its orderly way.
/// </summary>
internal sealed class DirectSocketOutput(Socket socket, PipeWriter original) : PipeWriter
{
    private const int BlockBytesMin = 4096;

    private readonly Lock _gate = new();
    private byte[]? _block;
    private int _length;
    private Task? _sending;
    private TaskCompletionSource? _cancelled;
    private bool _cancelNext;
    private bool _completed;
    private bool _broken;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _length;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _block.AsMemory(_length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _block.AsSpan(_length);
    }

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, (_block?.Length ?? 0) - _length);
        _length += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_completed || _broken)
        {
            DropBlock();
            return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
        }

        lock (_gate)
        {
            if (_cancelNext)
            {
                _cancelNext = false;
                return new ValueTask<FlushResult>(new FlushResult(isCanceled: true, isCompleted: false));
            }
        }

        if (_sending is { IsCompleted: false })
        {
            // The flush before this one was cancelled while its send went on: this one goes behind it.
            return FlushBehindAsync(_sending, cancellationToken);
        }

        if (_length > 0)
        {
            return SendAsync(cancellationToken);
        }

        // Asked for but never filled: an idle connection keeps no block.
        DropBlock();
        return new ValueTask<FlushResult>(Result());
    }

    public override void CancelPendingFlush()
    {
        lock (_gate)
        {
            // As with a pipe: cancels the flush that is pending, or else the next one.
            if (_cancelled is { } pending)
            {
                _ = pending.TrySetResult();
            }
            else
            {
                _cancelNext = true;
            }
        }
    }

    public override void Complete(Exception? exception = null)
    {
        if (_completed)
        {
            return;
        }

        _completed = true;
        if (_length > 0 && !_broken && exception is null)
        {
            _ = CompleteAfterSendAsync();
            return;
        }

        if (_sending is { IsCompleted: false } sending)
        {
            _ = CompleteAfterAsync(sending, exception);
            return;
        }

        DropBlock();
        original.Complete(exception);
    }

    private void Reserve(int bytes)
    {
        if (_block is null)
        {
            _block = ArrayPool<byte>.Shared.Rent(Math.Max(bytes, BlockBytesMin));
        }
        else if (_block.Length - _length < bytes)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_block.Length * 2, _length + bytes));
            _block.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_block);
            _block = larger;
        }
    }

    private ValueTask<FlushResult> SendAsync(CancellationToken cancellationToken)
    {
        // hot path: once per connection and round; guarded by bench fanout
        var block = _block!;
        var length = _length;
        _block = null;
        _length = 0;
        Task rest;
        try
        {
            var send = socket.SendAsync(block.AsMemory(0, length), SocketFlags.None, CancellationToken.None);
            if (send.IsCompletedSuccessfully)
            {
                var sent = send.Result;
                if (sent == length)
                {
                    ArrayPool<byte>.Shared.Return(block);
                    return new ValueTask<FlushResult>(Result());
                }

                rest = SendRestAsync(block, sent, length);
            }
            else
            {
                rest = SendRestAsync(send, block, length);
            }
        }
        catch (Exception e) when (IsGone(e))
        {
            ArrayPool<byte>.Shared.Return(block);
            _broken = true;
            return new ValueTask<FlushResult>(Result());
        }

        _sending = rest;
        return WaitAsync(rest, cancellationToken);
    }

    /// <summary>Waits for a send that is under way; a cancelled wait leaves it under way.</summary>
    private async ValueTask<FlushResult> WaitAsync(Task sending, CancellationToken cancellationToken)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _cancelled = cancelled;
        }

        using (cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), cancelled))
        {
            _ = await Task.WhenAny(sending, cancelled.Task);
        }

        lock (_gate)
        {
            _cancelled = null;
        }

        if (sending.IsCompleted)
        {
            return Result();
        }

        cancellationToken.ThrowIfCancellationRequested();
        return new FlushResult(isCanceled: true, isCompleted: false);
    }

    private async ValueTask<FlushResult> FlushBehindAsync(Task sending, CancellationToken cancellationToken)
    {
        var result = await WaitAsync(sending, cancellationToken);
        return result.IsCanceled || _length == 0 || _broken ? result : await SendAsync(cancellationToken);
    }

    private async Task CompleteAfterSendAsync()
    {
        _completed = false;
        _ = await FlushAsync(CancellationToken.None);
        _completed = true;
        await CompleteAfterAsync(_sending ?? Task.CompletedTask, exception: null);
    }

    private async Task CompleteAfterAsync(Task sending, Exception? exception)
    {
        await sending;
        DropBlock();
        await original.CompleteAsync(exception);
    }

    private FlushResult Result() => new(isCanceled: false, isCompleted: _broken);

    private void DropBlock()
    {
        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
            _block = null;
        }

        _length = 0;
    }

    private async Task SendRestAsync(ValueTask<int> first, byte[] block, int length)
    {
        int sent;
        try
        {
            sent = await first;
        }
        catch (Exception e) when (IsGone(e))
        {
            _broken = true;
            ArrayPool<byte>.Shared.Return(block);
            return;
        }

        await SendRestAsync(block, sent, length);
    }

    private async Task SendRestAsync(byte[] block, int sent, int length)
    {
        try
        {
            while (sent < length)
            {
                sent += await socket.SendAsync(block.AsMemory(sent, length - sent), SocketFlags.None, CancellationToken.None);
            }
        }
        catch (Exception e) when (IsGone(e))
        {
            _broken = true;
        }

        ArrayPool<byte>.Shared.Return(block);
    }

    private static bool IsGone(Exception e) => e is SocketException or ObjectDisposedException;
}
