namespace PushQueue.Diagnostics;

/// <summary>The traffic of a queue in one second.</summary>
/// <param name="Put">Messages put.</param>
/// <param name="Delivered">Messages delivered and removed.</param>
/// <param name="Acked">Leases acked.</param>
/// <param name="Waiting">Live messages at its end.</param>
internal readonly record struct QueuePoint(int Put, int Delivered, int Acked, long Waiting);
