using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>Why a caller may not, in the words of the native API.</summary>
internal static class AccessProblems
{
    /// <summary>Null where the caller may do this with the queue.</summary>
    public static Problem? WhyNot(this Caller caller, Permissions anyOf, QueueName queue) =>
        caller.May(anyOf, queue)
            ? null
            : new Problem(ProblemType.Forbidden, $"{Whose(caller)} lacks the permission {Names(anyOf)} on the queue '{queue}'.");

    /// <summary>Null where the caller may listen to every queue that a name or pattern fits.</summary>
    public static Problem? WhyNotListen(this Caller caller, string pattern) =>
        caller.MayListenTo(pattern) ? null : new Problem(
            ProblemType.Forbidden,
            $"{Whose(caller)} lacks the permission listen on {(NamePattern.Has(pattern) ? "all queues that fit" : "the queue")} "
                + $"'{pattern}', "
            + "to which the queue would subscribe.");

    /// <summary>Why a wait ended: the key is gone, or lost this right.</summary>
    public static Problem WhyLost(this WaitingRight right) =>
        right.Caller?.WhyNot(right.AnyOf, right.Queue)
            ?? new Problem(ProblemType.Unauthorized, "The key was revoked or has expired while the request waited.");

    /// <summary>Null where the caller may do this with every queue.</summary>
    public static Problem? WhyNotEverywhere(this Caller caller, Permissions anyOf) =>
        caller.MayEverywhere(anyOf)
            ? null
            : new Problem(
                ProblemType.Forbidden, $"{Whose(caller)} lacks the permission {Names(anyOf)} on all queues (\"*\"), which this needs.");

    /// <summary>Null where the caller's rates have room; then it is counted.</summary>
    public static Problem? WhyNotNow(this Caller caller, long bytes, LimitHits hits, out TimeSpan wait)
    {
        if (caller.TrySpend(1, bytes, out wait))
        {
            return null;
        }

        hits.Count(LimitNames.KeyRate);
        return new Problem(ProblemType.TooManyRequests,
            $"The rate of this key is used up; try again in {Duration.Format(TimeSpan.FromSeconds(Math.Ceiling(wait.TotalSeconds)))}.");
    }

    private static string Whose(Caller caller) => $"The key '{caller.Key?.Name}'";

    private static string Names(Permissions anyOf) => string.Join(" or ", PermissionWords.Of(bit => anyOf.HasAny(bit)));
}
