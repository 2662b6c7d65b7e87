using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The single puts of one queue on their way to Redis: while one script runs, the puts that arrive wait together for the next, as in a
/// group commit. A lone put goes at once. Each is judged by itself; only the call is shared.
/// </summary>
/// <param name="send">Stores messages, each by itself, and gives an outcome for each; what it throws reaches all of them.</param>
internal sealed class RedisPutLane(Func<IReadOnlyList<NewMessage>, ValueTask<BrokerResult<PutOutcome>[]>> send)
{
    /// <summary>One script stores at most so many, so that nobody else waits long for Redis.</summary>
    private const int MessagesMax = 128;

    private const int BytesMax = 4 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Pending> _waiting = new();
    private bool _isSending;

    public ValueTask<BrokerResult<PutOutcome>> PutAsync(NewMessage message)
    {
        lock (_gate)
        {
            if (_isSending)
            {
                var pending = new Pending(message);
                _waiting.Enqueue(pending);
                return new(pending.Task);
            }

            _isSending = true;
        }

        return PutAloneAsync(message);
    }

    private async ValueTask<BrokerResult<PutOutcome>> PutAloneAsync(NewMessage message)
    {
        try
        {
            return (await send([message]))[0];
        }
        finally
        {
            _ = SendWaitingAsync();
        }
    }

    private async Task SendWaitingAsync()
    {
        while (TakeWaiting() is { } group)
        {
            try
            {
                var outcomes = await send(Array.ConvertAll(group, static pending => pending.Message));
                for (var i = 0; i < group.Length; i++)
                {
                    group[i].SetResult(outcomes[i]);
                }
            }
            catch (Exception e)
            {
                // Those who wait are the border; the lane goes on.
                Array.ForEach(group, pending => pending.TrySetException(e));
            }
        }
    }

    private Pending[]? TakeWaiting()
    {
        lock (_gate)
        {
            var bytes = 0L;
            var count = 0;
            foreach (var pending in _waiting)
            {
                bytes += pending.Message.Body.Length;
                if (count == MessagesMax || (count > 0 && bytes > BytesMax))
                {
                    break;
                }

                count++;
            }

            if (count == 0)
            {
                _isSending = false;
                return null;
            }

            var group = new Pending[count];
            for (var i = 0; i < count; i++)
            {
                group[i] = _waiting.Dequeue();
            }

            return group;
        }
    }

    private sealed class Pending(NewMessage message)
        : TaskCompletionSource<BrokerResult<PutOutcome>>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public NewMessage Message => message;
    }
}
