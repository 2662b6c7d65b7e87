namespace PushQueue.Storage.Redis;

/// <summary>
/// Calls of one kind on one queue, on their way to Redis: while one script runs, calls that arrive wait together for the next, as in a
/// group commit. A lone call goes at once. Each call gets its own result; only the script is shared.
/// </summary>
/// <typeparam name="TCall">The arguments of a call.</typeparam>
/// <typeparam name="TResult">Its result.</typeparam>
/// <param name="send">Makes calls and returns a result for each, in order. An exception reaches all of them.</param>
/// <param name="mayShare">Whether two calls may share a script; null if any two may.</param>
/// <param name="size">How much a call adds to a script, in bytes; null for next to nothing.</param>
internal sealed class RedisLane<TCall, TResult>(
    Func<IReadOnlyList<TCall>, ValueTask<IReadOnlyList<TResult>>> send,
    Func<TCall, TCall, bool>? mayShare = null,
    Func<TCall, long>? size = null)
{
    /// <summary>One script makes at most so many calls, so that other queues do not wait long for Redis.</summary>
    private const int CallsMax = 128;

    private const int BytesMax = 4 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly List<Pending> _waiting = [];
    private bool _isSending;

    public ValueTask<TResult> CallAsync(TCall call)
    {
        lock (_gate)
        {
            if (_isSending)
            {
                var pending = new Pending(call);
                _waiting.Add(pending);
                return new(pending.Task);
            }

            _isSending = true;
        }

        return CallAloneAsync(call);
    }

    private async ValueTask<TResult> CallAloneAsync(TCall call)
    {
        try
        {
            return (await send([call]))[0];
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
                var results = await send(Array.ConvertAll(group, static pending => pending.Call));
                for (var i = 0; i < group.Length; i++)
                {
                    group[i].SetResult(results[i]);
                }
            }
            catch (Exception e)
            {
                // The callers are the border; the lane continues.
                Array.ForEach(group, pending => pending.TrySetException(e));
            }
        }
    }

    /// <summary>The calls of the next script: the oldest, and those that may share with it. The others keep their order.</summary>
    private Pending[]? TakeWaiting()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _isSending = false;
                return null;
            }

            var group = new List<Pending>();
            var bytes = 0L;
            _waiting.RemoveAll(pending =>
            {
                if (group.Count == CallsMax || (group.Count > 0 && mayShare?.Invoke(group[0].Call, pending.Call) == false))
                {
                    return false;
                }

                var added = size?.Invoke(pending.Call) ?? 0;
                if (group.Count > 0 && bytes + added > BytesMax)
                {
                    return false;
                }

                bytes += added;
                group.Add(pending);
                return true;
            });
            return [.. group];
        }
    }

    private sealed class Pending(TCall call) : TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public TCall Call => call;
    }
}
