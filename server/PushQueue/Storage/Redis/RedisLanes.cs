using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>The lanes of one queue: one for each kind of call that can share a script.</summary>
internal sealed class RedisLanes(RedisMessageStore store, QueueName queue)
{
    public RedisLane<NewMessage, BrokerResult<PutOutcome>> Puts { get; } =
        new(messages => store.PutEachAsync(queue, messages), size: static message => message.Body.Length);

    /// <summary>Takes of one message; a call is its limit in bytes, which the first message may exceed.</summary>
    public RedisLane<int, BrokerResult<IReadOnlyList<Message>>> Takes { get; } = new(limits => store.TakeEachAsync(queue, limits));

    /// <summary>Leases of one message with an end of their own.</summary>
    public RedisLane<LeaseRequest, BrokerResult<IReadOnlyList<Lease>>> Leases { get; } = new(
        requests => store.LeaseEachAsync(queue, requests),
        static (first, second) => first with { BytesMax = second.BytesMax } == second);

    /// <summary>Acks, touches and releases; those with equal arguments share a script.</summary>
    public RedisLane<RedisSettlement, IReadOnlyList<QueueError>> Settlements { get; } = new(
        settlements => store.SettleEachAsync(queue, settlements),
        static (first, second) => first.HasArgumentsOf(second),
        static settlement => settlement.Keys.Count * RedisSettlement.BytesPerKey);
}
