using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.Watching;

/// <summary>
/// The consumers of one queue, as this node's watchers know them. This node reports changes of its own consumers directly. Other nodes
/// send notices, and a check of all nodes from time to time finds what the notices missed. A consumer of another node is gone when it was
/// missing in two checks in a row, because a busy node may answer one too late.
/// </summary>
internal sealed class PresenceBoard(QueueName queue)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, PresentConsumerContract> _consumers = [];
    private readonly HashSet<long> _absent = [];
    private readonly List<PresenceStream> _streams = [];
    private int _watchers;
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Consumers that changed while a check is under way: it may have seen them before or after.</summary>
    private HashSet<long>? _changed;

    /// <summary>Counts a watcher in. False once the board is closed: its last watcher left.</summary>
    public bool TryEnter(out bool isFirst)
    {
        lock (_gate)
        {
            isFirst = _watchers == 0;
            _watchers += IsClosed ? 0 : 1;
            return !IsClosed;
        }
    }

    /// <summary>From here on the stream gets every change of the state that is returned.</summary>
    public PresenceEvent Add(PresenceStream stream)
    {
        lock (_gate)
        {
            _streams.Add(stream);
            return State();
        }
    }

    /// <summary>True where the last watcher left; the board is closed then.</summary>
    public bool Leave(PresenceStream stream)
    {
        lock (_gate)
        {
            _ = _streams.Remove(stream);
            IsClosed = --_watchers == 0;
            return IsClosed;
        }
    }

    public bool IsClosed { get; private set; }

    /// <summary>Completes with the first check: from then on the state is that of all nodes that answer.</summary>
    public Task Complete => _complete.Task;

    /// <summary>No check will come any more.</summary>
    public void GiveUp() => _ = _complete.TrySetResult();

    /// <summary>All consumers as one event.</summary>
    public PresenceEvent State()
    {
        lock (_gate)
        {
            return PresenceEvent.Of(new PresenceContract
            {
                Event = "state",
                Queue = queue.Value,
                Count = _consumers.Count,
                Consumers = [.. _consumers.Values.Take(PresenceContract.ListedMax)],
            });
        }
    }

    public void Join(PresentConsumerContract consumer)
    {
        lock (_gate)
        {
            _ = _changed?.Add(consumer.Id);
            _ = _absent.Remove(consumer.Id);
            if (_consumers.TryAdd(consumer.Id, consumer))
            {
                SendChange("joined", consumer);
            }
        }
    }

    public void Leave(long number)
    {
        lock (_gate)
        {
            _ = _changed?.Add(number);
            _ = _absent.Remove(number);
            if (_consumers.Remove(number, out var consumer))
            {
                SendChange("left", consumer);
            }
        }
    }

    public void Send(PresenceEvent happened)
    {
        lock (_gate)
        {
            foreach (var stream in _streams)
            {
                stream.Add(happened);
            }
        }
    }

    /// <summary>Call it before the nodes are asked.</summary>
    public void BeginCheck()
    {
        lock (_gate)
        {
            _changed = [];
        }
    }

    /// <summary>Compares with what the nodes have answered.</summary>
    /// <param name="found">All consumers by id.</param>
    /// <param name="isOwn">Whether a number is of this node, whose part of the answer is always complete.</param>
    public void EndCheck(IReadOnlyDictionary<long, PresentConsumerContract> found, Func<long, bool> isOwn)
    {
        lock (_gate)
        {
            var changed = _changed ?? [];
            _changed = null;
            foreach (var (number, consumer) in found)
            {
                if (!changed.Contains(number))
                {
                    Join(consumer);
                }
            }

            foreach (var number in _consumers.Keys.Where(number => !found.ContainsKey(number) && !changed.Contains(number)).ToArray())
            {
                if (isOwn(number) || !_absent.Add(number))
                {
                    Leave(number);
                }
            }
        }

        _ = _complete.TrySetResult();
    }

    private void SendChange(string name, PresentConsumerContract consumer) => Send(PresenceEvent.Of(
        new PresenceContract { Event = name, Queue = queue.Value, Count = _consumers.Count, Consumer = consumer }));
}
