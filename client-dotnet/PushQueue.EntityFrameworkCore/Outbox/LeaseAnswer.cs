namespace PushQueue.EntityFrameworkCore;

/// <summary>Whether this forwarder works on a queue.</summary>
/// <param name="IsTaken">It does.</param>
/// <param name="AbandonedAt">The last sign of life of the forwarder that had the queue and did not give it back; null where none
/// had.</param>
internal readonly record struct LeaseAnswer(bool IsTaken, DateTimeOffset? AbandonedAt)
{
    public static LeaseAnswer Taken => new(IsTaken: true, AbandonedAt: null);

    public static LeaseAnswer Refused => default;
}
