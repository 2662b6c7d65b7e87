using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// The totals of all queues. Each script returns what it has added or removed; a node sums this up and sends it with its next heartbeat,
/// whose answer holds the totals of all nodes. So a put asks for nothing, and a node learns of the others' puts a heartbeat later. Sums
/// that are lost with a node are corrected when all queues are read anyway: when a node starts or is declared dead, and after Redis was
/// away.
/// </summary>
internal sealed class RedisTotals
{
    private readonly Lock _gate = new();
    private StoreTotals _known;
    private StoreTotals _own;

    /// <summary>The totals of the last heartbeat, with this node's changes since.</summary>
    public StoreTotals Current
    {
        get
        {
            lock (_gate)
            {
                return new StoreTotals(
                    Math.Max(0, _known.Queues + _own.Queues),
                    Math.Max(0, _known.Messages + _own.Messages),
                    Math.Max(0, _known.Bytes + _own.Bytes));
            }
        }
    }

    public void Add(long queues, long messages, long bytes)
    {
        lock (_gate)
        {
            _own = new StoreTotals(_own.Queues + queues, _own.Messages + messages, _own.Bytes + bytes);
        }
    }

    /// <summary>This node's changes since the last call, to be sent; <see cref="GiveBack"/> returns them if that fails.</summary>
    public StoreTotals Take()
    {
        lock (_gate)
        {
            var taken = _own;

            // Still seen until the sums come that hold it.
            _known = new StoreTotals(_known.Queues + taken.Queues, _known.Messages + taken.Messages, _known.Bytes + taken.Bytes);
            _own = default;
            return taken;
        }
    }

    public void GiveBack(StoreTotals taken)
    {
        lock (_gate)
        {
            _known = new StoreTotals(_known.Queues - taken.Queues, _known.Messages - taken.Messages, _known.Bytes - taken.Bytes);
        }

        Add(taken.Queues, taken.Messages, taken.Bytes);
    }

    /// <summary>The sums of all nodes.</summary>
    public void Learn(StoreTotals totals)
    {
        lock (_gate)
        {
            _known = totals;
        }
    }

    /// <summary>The first element of a script's answer (Part.Queue.lua): its control; what came and went is added.</summary>
    public long Read(RedisValue first)
    {
        if (first.IsInteger)
        {
            return (long)first;
        }

        var parts = ((string)first!).Split(' ');
        Add(0, Number(parts[1]), Number(parts[2]));
        return Number(parts[0]);
    }

    private static long Number(string text) => long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
