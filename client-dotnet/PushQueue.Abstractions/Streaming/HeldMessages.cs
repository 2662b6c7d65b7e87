namespace PushQueue.Client.Streaming;

/// <summary>
/// The messages that this program holds by leases of one stream. A server that takes the stream up again sends them once more under the
/// same receipts; the program has them already. Its lock is a leaf.
/// </summary>
internal sealed class HeldMessages
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Queue, string Id), Message> _held = [];
    private TaskCompletionSource? _noneStarted;

    /// <summary>False where the program has this message by this very lease.</summary>
    public bool TryAdd(Message message)
    {
        Message? former;
        lock (_gate)
        {
            if (_held.TryGetValue((message.Queue, message.Id), out former) && former.Receipt == message.Receipt)
            {
                return false;
            }

            _held[(message.Queue, message.Id)] = message;
        }

        // A new lease: the former one has ended, and its worker should know.
        former?.End();
        return true;
    }

    public void Remove(Message message)
    {
        lock (_gate)
        {
            if (_held.TryGetValue((message.Queue, message.Id), out var held) && ReferenceEquals(held, message))
            {
                _held.Remove((message.Queue, message.Id));
                TellNoneStartedLocked();
            }
        }
    }

    /// <summary>The lease has ended; its worker should know.</summary>
    public void Lose(Message message)
    {
        Remove(message);
        message.End();
    }

    /// <summary>Completes when the program works on none of them.</summary>
    public Task WhenNoneStarted()
    {
        lock (_gate)
        {
            _noneStarted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            TellNoneStartedLocked();
            return _noneStarted.Task;
        }
    }

    /// <summary>Cancelled by somebody. Null where it is not held.</summary>
    public Message? Cancel(string queue, string id)
    {
        Message? held;
        lock (_gate)
        {
            _held.Remove((queue, id), out held);
            TellNoneStartedLocked();
        }

        held?.End();
        return held;
    }

    /// <summary>The leases whose work the program has begun and not settled.</summary>
    public LeaseKey[] Started()
    {
        lock (_gate)
        {
            return [.. _held.Values.Where(static message => message.IsStarted).Select(KeyOf)];
        }
    }

    /// <summary>The messages that wait here to be begun.</summary>
    public Message[] Waiting()
    {
        lock (_gate)
        {
            return [.. _held.Values.Where(static message => !message.IsStarted)];
        }
    }

    /// <summary>The leases whose messages the program has not got, and will not get.</summary>
    public LeaseKey[] TakeUnstarted()
    {
        lock (_gate)
        {
            Message[] dropped = [.. _held.Values.Where(static message => message.TryDrop())];
            Array.ForEach(dropped, message => _held.Remove((message.Queue, message.Id)));
            return Array.ConvertAll(dropped, KeyOf);
        }
    }

    /// <summary>All leases are lost.</summary>
    public void EndAll()
    {
        Message[] all;
        lock (_gate)
        {
            all = [.. _held.Values];
            _held.Clear();
            TellNoneStartedLocked();
        }

        Array.ForEach(all, static message => message.End());
    }

    private void TellNoneStartedLocked()
    {
        if (_noneStarted is { } waiting && !_held.Values.Any(static message => message.IsStarted))
        {
            waiting.TrySetResult();
        }
    }

    private static LeaseKey KeyOf(Message message) => new(message.Id, message.Receipt!);
}
