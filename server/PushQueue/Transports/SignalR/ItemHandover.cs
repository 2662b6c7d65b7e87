using System.Threading.Channels;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Hands items from one writer to one reader. An item counts as written when the reader comes back for the next one: it has sent the item
/// by then. One that still lies here when the call ends was never sent, and must not count.
/// </summary>
internal sealed class ItemHandover : ChannelReader<EncodedItem>
{
    private readonly Channel<EncodedItem> _item = Channel.CreateBounded<EncodedItem>(new BoundedChannelOptions(1)
    {
        SingleReader = true,
        SingleWriter = true,
    });

    private TaskCompletionSource? _written;
    private bool _handedOut;
    private volatile bool _ended;

    public override Task Completion => _item.Reader.Completion;

    public async ValueTask WriteAsync(EncodedItem item)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Interlocked.Exchange(ref _written, written);
        if (_ended)
        {
            throw Gone();
        }

        await _item.Writer.WriteAsync(item);
        await written.Task;
    }

    public void End()
    {
        _ended = true;
        _ = _item.Writer.TryComplete();
        _ = Interlocked.Exchange(ref _written, null)?.TrySetException(Gone());
    }

    public override bool TryRead(out EncodedItem item)
    {
        ReportWritten();
        return _handedOut = _item.Reader.TryRead(out item!);
    }

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        ReportWritten();
        return _item.Reader.WaitToReadAsync(cancellationToken);
    }

    private void ReportWritten()
    {
        if (_handedOut)
        {
            _handedOut = false;
            Volatile.Read(ref _written)?.TrySetResult();
        }
    }

    private static IOException Gone() => new("The client has gone.");
}
