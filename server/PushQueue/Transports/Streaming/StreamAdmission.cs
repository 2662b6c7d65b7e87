using PushQueue.Delivery;

namespace PushQueue.Transports.Streaming;

/// <summary>Whether this node takes another stream or subscription now, over any transport.</summary>
internal static class StreamAdmission
{
    private static readonly Problem OutOfMemory = new(
        ProblemType.ServerFull, "Slow readers use all memory that the server reserves for output; the server closes them. Try again in "
            + "a second.");

    /// <summary>Null where it does.</summary>
    public static Problem? WhyNot(ConsumerConnections connections) =>
        connections.IsDraining ? new Problem(ProblemType.ShuttingDown)
        : connections.IsShortOfMemory ? OutOfMemory
        : null;
}
