using PushQueue.Client;

namespace PushQueue.EntityFrameworkCore;

/// <summary>The meaning of a failed put for the forwarder.</summary>
internal enum PutFailure
{
    /// <summary>The server refuses the message for good.</summary>
    Refused,

    /// <summary>The queue takes nothing for the moment, for example because it is full. Other queues may.</summary>
    QueueWaits,

    /// <summary>No queue takes anything: the server is away, or does not accept this client.</summary>
    Away,
}

internal static class PutFailures
{
    public static PutFailure Of(PushQueueException e) => e switch
    {
        { Type: ProblemTypes.TooManyRequests or ProblemTypes.TooManyConnections } => PutFailure.QueueWaits,
        { IsTransient: true } or { Status: 401 or null } => PutFailure.Away,

        // Also from a proxy with a lower limit than the server's.
        { Status: 413 } => PutFailure.Refused,
        { Type: ProblemTypes.BadAnswer } => PutFailure.Away,
        { Status: 400 or 403 or 409 or 415 } => PutFailure.Refused,
        _ => PutFailure.QueueWaits,
    };
}
