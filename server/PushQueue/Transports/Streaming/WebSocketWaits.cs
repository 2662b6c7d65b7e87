using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// The commands of one socket that wait. They begin in the order in which they came and are answered when they are done; meanwhile the socket
/// is read on. Bounded: with too many under way the next one holds the socket up like any other command. They end with the socket.
/// </summary>
internal sealed class WebSocketWaits(WebSocketCommands commands, OutboundBuffer buffer, CancellationToken aborted) : IAsyncDisposable
{
    private const int WaitsMax = 100;

    private CancellationTokenSource? _ended;
    private int _underWay;

    /// <summary>False where the command is to be executed in turn.</summary>
    public bool TryStart(ReadOnlyMemory<byte> frame)
    {
        if (!WebSocketCommands.Waits(frame.Span) || Volatile.Read(ref _underWay) >= WaitsMax)
        {
            return false;
        }

        _ended ??= CancellationTokenSource.CreateLinkedTokenSource(aborted);
        _ = Interlocked.Increment(ref _underWay);
        _ = AnswerAsync(frame.ToArray(), _ended.Token);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_ended is not null)
        {
            await _ended.CancelAsync();
            _ended.Dispose();
        }
    }

    private async Task AnswerAsync(byte[] frame, CancellationToken ended)
    {
        try
        {
            var answer = await commands.ExecuteAsync(buffer, frame, ended);
            _ = buffer.Offer(WebSocketFormat.EncodeText(answer.Span));
        }
        catch (OperationCanceledException)
        {
            // The socket has ended; there is nobody to answer.
        }
        finally
        {
            _ = Interlocked.Decrement(ref _underWay);
        }
    }
}
