using System.Security.Claims;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>
/// The caller at the other end of a long connection. Asks the rules again each time: they may have changed since the connection began.
/// Also counts its commands, against its own rate and the key's.
/// </summary>
internal sealed class ConnectionCaller(
    AccessControl access, Caller caller, int commandsPerSecondMax, LimitHits hits, TimeProvider time) : IConsumerRights
{
    private readonly RateBudget _commands = new(time);
    private volatile Caller _caller = caller;
    private int _renewals;
    private string _grants = "";
    private int _grantChanges;

    public Caller Caller => access.Again(_caller) ?? Caller.Nobody;

    public bool MayStay => access.Again(_caller) is not null;

    /// <summary>
    /// Grows with every change of the rules; for a user of the application, with every change of what the application grants it.
    /// </summary>
    public int Version
    {
        get
        {
            if (_caller.User is null)
            {
                return access.Version + Volatile.Read(ref _renewals);
            }

            var grants = string.Join(
                ';', Caller.Key!.Grants.Select(static grant => $"{(int)grant.Can}:{string.Join(',', grant.Patterns)}"));
            _grantChanges += grants == _grants ? 0 : 1;
            _grants = grants;
            return _grantChanges;
        }
    }

    /// <summary>When the caller's rights end by themselves; null for never.</summary>
    public DateTimeOffset? Expires => AccessControl.ExpiresAt(_caller);

    /// <summary>
    /// Replaces the key or token of the connection by another of the same owner. False for another owner: the connection counts as one of
    /// the first one's, and what it holds was given to that one.
    /// </summary>
    public bool TryRenew(Caller renewed)
    {
        var known = _caller;
        if (!IsSame(known, renewed))
        {
            return false;
        }

        _caller = renewed;
        _ = Interlocked.Increment(ref _renewals);
        return true;
    }

    private static bool IsSame(Caller one, Caller other) =>
        one.User is null && other.User is null
            ? one.Key is { } key && other.Key is { } otherKey && key.Id == otherKey.Id && key.Hash.AsSpan().SequenceEqual(otherKey.Hash)
            : one.User is not null && other.User is not null && OwnerOf(one.User) is { } owner && owner == OwnerOf(other.User);

    /// <summary>The subject of a token, or what else the application's scheme names a user by; with its issuer.</summary>
    private static (string Issuer, string Name)? OwnerOf(ClaimsPrincipal user) =>
        (user.FindFirst("sub") ?? user.FindFirst(ClaimTypes.NameIdentifier) ?? user.FindFirst(ClaimTypes.Name)) is { } claim
            ? (claim.Issuer, claim.Value)
            : null;

    /// <summary>Why a stream that lasts must end, by the rules as they are now; null if it may continue.</summary>
    /// <param name="whyNot">The rule of the stream.</param>
    /// <param name="now">The caller with its present rights.</param>
    public Problem? WhyNot(Func<Caller, Problem?> whyNot, out Caller now)
    {
        now = Caller;
        return ReferenceEquals(now, Caller.Nobody)
            ? new Problem(ProblemType.Unauthorized, "The key was revoked or has expired.")
            : whyNot(now);
    }

    public bool MayListen(QueueName queue) => Caller.May(Permissions.Listen, queue);

    /// <summary>Null where the connection may send another command now; then it is counted.</summary>
    /// <param name="bytes">Its length.</param>
    public Problem? WhyNoCommand(int bytes)
    {
        if (!_commands.TrySpend(commandsPerSecondMax, 1, out _))
        {
            hits.Count(LimitNames.Commands);
            return new Problem(ProblemType.TooManyRequests,
                $"A connection may send {commandsPerSecondMax} commands a second; send more messages in each command, or send more "
                    + "slowly.");
        }

        return Caller.WhyNotNow(bytes, hits, out _);
    }
}
