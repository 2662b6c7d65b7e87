using System.Text;
using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>What a node remembers of a queue: its keys as scripts take them, how it names itself and the queue in scripts, and how far the broadcast was seen to come.</summary>
internal sealed class KnownQueue(QueueName queue, RedisKey[] keys)
{
    private Asking? _asking;
    private RedisPutLane? _lane;
    private long _nextOffset;

    /// <summary>The hash first; the others only for a Redis that must know them all beforehand.</summary>
    public RedisKey[] Keys => keys;

    /// <summary>Offsets below this one have been given out, whatever Redis remembers; 0 where nothing is known.</summary>
    public long NextOffset => Volatile.Read(ref _nextOffset);

    /// <summary>The second argument of every script: the node's number, then the queue's name.</summary>
    public byte[] AskedBy(string node)
    {
        var asking = _asking;
        if (asking?.Node != node)
        {
            _asking = asking = new Asking(node, Encoding.UTF8.GetBytes(node + queue.Value));
        }

        return asking.Text;
    }

    /// <summary>The lane of single puts, made by the first of them.</summary>
    public RedisPutLane LaneOf(
        RedisMessageStore store, Func<RedisMessageStore, QueueName, IReadOnlyList<NewMessage>, ValueTask<BrokerResult<PutOutcome>[]>> put)
    {
        if (_lane is { } lane)
        {
            return lane;
        }

        _ = Interlocked.CompareExchange(ref _lane, new RedisPutLane(messages => put(store, queue, messages)), null);
        return _lane;
    }

    public void See(long nextOffset)
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

    /// <summary>The queue was deleted: its offsets begin anew.</summary>
    public void Forget() => Volatile.Write(ref _nextOffset, 0);

    private sealed record Asking(string Node, byte[] Text);
}
