using PushQueue.Queues;

namespace PushQueue.Storage.Redis;

/// <summary>A call that ends or prolongs leases.</summary>
/// <param name="Script">Ack, Touch or Release.</param>
/// <param name="Keys">The leases.</param>
/// <param name="TimeToRun">Of a touch: the time until the new end.</param>
/// <param name="Release">Of a release.</param>
internal sealed record RedisSettlement(
    RedisScript Script, IReadOnlyList<LeaseKey> Keys, TimeSpan TimeToRun = default, ReleaseRequest? Release = null)
{
    /// <summary>The weight of a lease in a shared script: about a thousand of them keep Redis busy for 10 ms.</summary>
    public const long BytesPerKey = 4096;

    public bool HasArgumentsOf(RedisSettlement other) =>
        Script == other.Script && TimeToRun == other.TimeToRun && Release == other.Release;
}
