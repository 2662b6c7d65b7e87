using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Transports.Commands;
using PushQueue.Transports.Framing;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// The commands of one socket that wait. They begin in the order in which they came and are answered when they are done; meanwhile the
/// socket is read on. Bounded: with too many under way the next one is refused, for it must not hold up the ack that another waits for.
/// They end with the socket.
/// </summary>
internal sealed class WebSocketWaits(
    WebSocketCommands commands, OutboundBuffer buffer, LimitHits hits, int waitsMax, CancellationToken aborted) : IAsyncDisposable
{
    private readonly TaskCompletionSource _allDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _ended;

    // The socket itself counts as one, until it ends.
    private int _underWay = 1;

    /// <summary>False where the command does not wait and is to be executed in turn.</summary>
    public bool TryStart(CommandFrame frame)
    {
        if (!frame.Waits)
        {
            return false;
        }

        if (Volatile.Read(ref _underWay) > waitsMax)
        {
            hits.Count(LimitNames.WaitingCommands);
            Answer(WebSocketCommands.Refuse(frame, new Problem(
                ProblemType.TooManyWaiting,
                $"{waitsMax} commands of this socket already wait; let one of them end first, or send the command without 'wait'.")));
            return true;
        }

        _ended ??= CancellationTokenSource.CreateLinkedTokenSource(aborted);
        _ = Interlocked.Increment(ref _underWay);
        frame.Detach();
        _ = AnswerAsync(frame, _ended.Token);
        return true;
    }

    /// <summary>Ends the waits, and returns when each has given up: none takes a message after its socket.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ended is not null)
        {
            await _ended.CancelAsync();
        }

        Done();
        await _allDone.Task;
        _ended?.Dispose();
    }

    private async Task AnswerAsync(CommandFrame frame, CancellationToken ended)
    {
        try
        {
            Answer(await commands.ExecuteAsync(buffer, frame, ended), WrittenTake.Of(frame.Pending));
        }
        catch (OperationCanceledException)
        {
            // The socket has ended; there is nobody to answer.
        }
        finally
        {
            Done();
        }
    }

    private void Answer(ReadOnlyMemory<byte> answer, IWriteObserver? observer = null) =>
        _ = buffer.Offer(WebSocketFormat.EncodeText(answer.Span), observer: observer);

    private void Done()
    {
        if (Interlocked.Decrement(ref _underWay) == 0)
        {
            _allDone.SetResult();
        }
    }
}
