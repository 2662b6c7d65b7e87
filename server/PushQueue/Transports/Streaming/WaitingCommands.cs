using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// The takes and leases of one socket that wait for a message, beside its read loop: a loop that waited with them would read neither pongs
/// nor the next command. Every other command stays in the loop, so that they run, and are answered, in the order in which they came.
/// </summary>
internal sealed class WaitingCommands(WebSocketCommands commands, OutboundBuffer buffer, CancellationToken aborted)
{
    private const int CommandsMax = 16;

    private readonly CancellationTokenSource _ended = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    private readonly List<Task> _running = [];

    /// <summary>Only by the read loop.</summary>
    public void Start(ReadOnlyMemory<byte> frame)
    {
        _ = _running.RemoveAll(static task => task.IsCompleted);
        if (_running.Count >= CommandsMax)
        {
            _ = buffer.Offer(WebSocketFormat.EncodeText(WebSocketCommands.TooManyWait(frame, CommandsMax).Span));
            return;
        }

        // The reader's buffer is used again before the command is done.
        _running.Add(RunAsync(frame.ToArray()));
    }

    /// <summary>The socket has ended: nobody waits any longer.</summary>
    public async Task EndAsync()
    {
        await _ended.CancelAsync();
        await Task.WhenAll(_running);
        _ended.Dispose();
    }

    private async Task RunAsync(ReadOnlyMemory<byte> frame)
    {
        try
        {
            var answer = await commands.ExecuteAsync(buffer, frame, _ended.Token);
            _ = buffer.Offer(WebSocketFormat.EncodeText(answer.Span));
        }
        catch (OperationCanceledException)
        {
            // The socket has ended.
        }
    }
}
