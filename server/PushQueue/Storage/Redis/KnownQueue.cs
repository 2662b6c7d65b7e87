using System.Text;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// A queue as the node remembers it: its keys and the caller argument of scripts, its lanes, and the highest known offset.
/// </summary>
internal sealed class KnownQueue(QueueName queue, RedisKey[] keys)
{
    private Caller? _caller;
    private RedisLanes? _lanes;
    private long _nextOffset;

    public QueueName Name => queue;

    /// <summary>The hash first; the others only for a Redis Cluster, which needs them all beforehand.</summary>
    public RedisKey[] Keys { get; } = keys;

    /// <summary>
    /// The keys of a put: on a Redis Cluster those of the subscribers, too, as far as this node knows them. A put that lacks some is
    /// refused and names them.
    /// </summary>
    public RedisKey[] KeysWithFed { get; set; } = keys;

    /// <summary>Offsets below this one were assigned, whatever Redis remembers; 0 if nothing is known.</summary>
    public long NextOffset => Volatile.Read(ref _nextOffset);

    /// <summary>The second argument of every script: the node's number, then the queue's name.</summary>
    public byte[] CallerArgument(string node)
    {
        var caller = _caller;
        if (caller?.Node != node)
        {
            _caller = caller = new Caller(node, Encoding.UTF8.GetBytes(node + queue.Value));
        }

        return caller.Text;
    }

    /// <summary>The lanes of calls that share scripts, made by the first of them.</summary>
    public RedisLanes LanesOf(RedisMessageStore store)
    {
        if (_lanes is { } lanes)
        {
            return lanes;
        }

        _ = Interlocked.CompareExchange(ref _lanes, new RedisLanes(store, queue), null);
        return _lanes;
    }

    public void ObserveOffset(long nextOffset)
    {
        var seen = NextOffset;
        while (nextOffset > seen)
        {
            var before = Interlocked.CompareExchange(ref _nextOffset, nextOffset, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    /// <summary>The queue was deleted: its offsets start again.</summary>
    public void ForgetOffset() => Volatile.Write(ref _nextOffset, 0);

    private sealed record Caller(string Node, byte[] Text);
}
