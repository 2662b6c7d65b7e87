using PushQueue.Queues;
using StackExchange.Redis;

namespace PushQueue.Storage.Redis;

/// <summary>
/// Reads many queues for lists. One script reads a hundred of them, because most of what one queue costs Redis is the packet of its call.
/// In a Redis Cluster their keys are on several servers, so each queue is asked for by itself.
/// </summary>
/// <param name="connection">The way to Redis.</param>
/// <param name="clock">The queues' time.</param>
/// <param name="one">Reads one queue and brings it to the present; null where it does not exist or cannot be read.</param>
internal sealed class RedisQueueList(RedisConnection connection, RedisClock clock, Func<QueueName, Task<QueueInfo?>> one)
{
    private const int QueuesAtOnce = 100;

    /// <summary>The queues that exist, in the order of the names.</summary>
    public async Task<IReadOnlyList<QueueInfo>> ReadAsync(IReadOnlyList<KnownQueue> queues)
    {
        var pages = await Task.WhenAll(queues.Chunk(connection.IsCluster ? 1 : QueuesAtOnce).Select(ReadPageAsync));
        return [.. pages.SelectMany(static page => page).OfType<QueueInfo>()];
    }

    private async Task<QueueInfo?[]> ReadPageAsync(KnownQueue[] queues)
    {
        var infos = new QueueInfo?[queues.Length];
        if (queues.Length == 1)
        {
            infos[0] = await one(queues[0].Name);
            return infos;
        }

        RedisValue[] reply;
        try
        {
            reply = await connection.RunAsync(
                RedisScript.GetQueues, Array.ConvertAll(queues, static queue => queue.Keys[0]), [clock.NowMs(), .. RedisQueueInfo.Fields]);
        }
        catch (StoreUnavailableException e) when (RedisFailure.IsOfOneKey(e.InnerException))
        {
            // One queue's keys hold something else; the others are shown.
            return await Task.WhenAll(queues.Select(queue => one(queue.Name)));
        }

        var length = reply.Length / queues.Length;
        for (var i = 0; i < queues.Length; i++)
        {
            var state = (long)reply[i * length];

            // A node that knows of higher offsets than Redis has to let the script of one queue repair that.
            infos[i] = state switch
            {
                0 => null,
                1 when (long)reply[(i * length) + 3] >= queues[i].NextOffset =>
                    RedisQueueInfo.Read(queues[i].Name, queues[i], reply[(i * length)..((i + 1) * length)]),
                _ => await one(queues[i].Name),
            };
        }

        return infos;
    }
}
