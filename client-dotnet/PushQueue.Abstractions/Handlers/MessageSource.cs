namespace PushQueue.Client.Handlers;

/// <summary>
/// Gives the messages of one stream to the loops of a handler, one to each in turn. Nothing is taken out of the stream before a loop can
/// begin it. The stream itself goes on while work that has begun is ended: its connection keeps the leases alive.
/// </summary>
internal sealed class MessageSource(IAsyncEnumerator<Message> messages, CancellationToken stopping) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private Task<bool>? _next;
    private bool _isOver;

    /// <summary>The next message; null when the handler stops, and when the stream has ended.</summary>
    /// <exception cref="PushQueueException">The stream was refused; thrown to one caller only.</exception>
    public async ValueTask<Message?> NextAsync()
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (_isOver || stopping.IsCancellationRequested)
            {
                return null;
            }

            var moved = messages.MoveNextAsync();
            if (!(moved.IsCompletedSuccessfully ? moved.Result : await WaitAsync(moved.AsTask()).ConfigureAwait(false)))
            {
                _isOver = true;
                return null;
            }

            return messages.Current.Receipt is null ? throw NotRoundRobin(messages.Current.Queue) : messages.Current;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return null;
        }
        catch
        {
            _isOver = true;
            throw;
        }
        finally
        {
            _ = _turn.Release();
        }
    }

    /// <summary>Ends the stream, whose token was cancelled. A message that came when nothing was to be begun any more goes back.</summary>
    public async Task EndAsync()
    {
        try
        {
            if (_next is { } next && await next.ConfigureAwait(false))
            {
                messages.Current.Unstart();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or PushQueueException)
        {
            // By the end of the handler, or of the server meanwhile: nobody waits for another message.
        }
        finally
        {
            await messages.DisposeAsync().ConfigureAwait(false);
        }
    }

    public void Dispose() => _turn.Dispose();

    public static PushQueueException NotRoundRobin(string queue) => new(
        ProblemTypes.NotRoundRobin, $"The queue '{queue}' broadcasts; a worker needs its policy to be roundrobin: change its settings.");

    private async Task<bool> WaitAsync(Task<bool> next)
    {
        _next = next;
        var has = await next.WaitAsync(stopping).ConfigureAwait(false);
        _next = null;
        return has;
    }
}
