namespace PushQueue.Dialects.Redisched;

/// <summary>Pushing to URLs.</summary>
public sealed class RedischedOptions
{
    /// <summary>
    /// The allowed targets of pushes: <c>loopback</c>, addresses, networks such as <c>10.0.0.0/8</c>, names of hosts (whatever their
    /// address), or
    /// <c>*</c> for everyone.
    /// </summary>
    public IList<string> PushAllowed { get; } = ["loopback"];

    /// <summary>How many jobs of one topic are on their way to its URL at the same time.</summary>
    public int PushConcurrency { get; set; } = 16;
}
