using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>
/// A node's number among the others, which no node had before. Leases that are bound to the node carry it. A node that was declared dead
/// continues under another number.
/// </summary>
internal sealed class NodeIdentity
{
    /// <summary>
    /// Node numbers lie between 2^52 and 2^53, where 64-bit floats still hold every integer: above all times, which share the scores of the
    /// leased with them.
    /// </summary>
    private const long Lowest = 1L << 52;

    public string Number { get; } =
        (Lowest + (BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8)) & (Lowest - 1))).ToString(CultureInfo.InvariantCulture);

    /// <summary>The queues that are recorded in Redis as holding leases of this node.</summary>
    public ConcurrentDictionary<QueueName, bool> Queues { get; } = new();
}
