namespace PushQueue.EntityFrameworkCore;

/// <summary>The result of a forwarder's turn at one queue.</summary>
internal enum QueueTurn
{
    /// <summary>Nothing more to do now: the queue's rows are forwarded, wait, or belong to another forwarder.</summary>
    Done,

    /// <summary>There may be more rows.</summary>
    More,

    /// <summary>The server is away; no other queue needs to be tried.</summary>
    Away,
}
