namespace PushQueue.Client;

/// <summary>The refusal of the server, or the reason why it could not be asked.</summary>
public sealed class PushQueueException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="type">The type, for programs.</param>
    /// <param name="detail">A sentence for people: what is wrong and what to do.</param>
    /// <param name="status">The HTTP status of the answer; null without an answer.</param>
    /// <param name="innerException">The cause, where it was not an answer.</param>
    public PushQueueException(string type, string detail, int? status = null, Exception? innerException = null)
        : base($"{detail} ({type})", innerException)
    {
        Type = type;
        Detail = detail;
        Status = status;
    }

    /// <summary>The type of the problem, for programs: one of <see cref="ProblemTypes"/>, or another that the server sent.</summary>
    public string Type { get; }

    /// <summary>A sentence for people.</summary>
    public string Detail { get; }

    /// <summary>The HTTP status of the answer; null without an answer.</summary>
    public int? Status { get; }

    /// <summary>Whether the same call may succeed in a moment, without anybody changing anything.</summary>
    public bool IsTransient => Type is ProblemTypes.Unreachable or ProblemTypes.ConnectionLost or ProblemTypes.Timeout
        or ProblemTypes.StoreUnavailable or ProblemTypes.ShuttingDown or ProblemTypes.TooManyRequests or ProblemTypes.TooManyConnections
            || Status is 408 or 502 or 503 or 504;

    /// <summary>Whether it is certain that the server did nothing.</summary>
    /// <remarks>Not <c>store-unavailable</c>: a store behind a network may have done what it could not answer.</remarks>
    internal bool NothingDone =>
        Type is ProblemTypes.Unreachable or ProblemTypes.ShuttingDown or ProblemTypes.TooManyRequests or ProblemTypes.TooManyConnections;
}
