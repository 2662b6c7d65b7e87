using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Operations;

/// <summary>Makes tokens for keys, and renews the rights of connections, whichever way the request came.</summary>
internal sealed class TokenOperations(AccessControl access, OwnTokens tokens, Admission admission, TimeProvider time)
{
    /// <summary>
    /// Makes a token with some of the caller's rights, or all of them. It ends with the caller's own key or token at the latest.
    /// </summary>
    public async ValueTask<Outcome<MadeToken>> MakeAsync(Caller caller, TokenRequest request)
    {
        if (WhyNoToken(caller) is { } problem)
        {
            return problem;
        }

        var grants = request.Grants ?? caller.Token?.Grants;
        if (request.Grants is not null && WhyNoGrants(caller, request.Grants) is { } refusal)
        {
            return refusal;
        }

        var end = time.GetUtcNow() + request.Age;
        if (AccessControl.ExpiresAt(caller) is { } last && last < end)
        {
            end = last;
        }

        // The form of a token has whole seconds. Rounded down: no token outlives what it was made with.
        var token = new AccessToken(DateTimeOffset.FromUnixTimeSeconds(end.ToUnixTimeSeconds()), grants);
        var text = await tokens.MakeAsync(caller.Key!, token);
        return text.Length <= AccessToken.MadeCharsMax
            ? new Outcome<MadeToken>(new MadeToken(text, token.Expires), null)
            : Problem.BadOption(
                $"The token would have {text.Length} characters; the limit is {AccessToken.MadeCharsMax}. Name fewer queues, or patterns.");
    }

    /// <summary>Replaces what a connection came with by a newer token, or key, of the same owner.</summary>
    public async ValueTask<Outcome<RenewedRights>> RenewAsync(ConnectionCaller caller, string token, CancellationToken cancellationToken)
    {
        if (!access.Enabled)
        {
            return new Outcome<RenewedRights>(new RenewedRights(null), null);
        }

        var found = await admission.FindAsync(token, cancellationToken);
        return found.Caller is not { } renewed ? new Problem(ProblemType.Unauthorized, found.WhyNot)
            : caller.TryRenew(renewed) ? new Outcome<RenewedRights>(new RenewedRights(caller.Expires), null)
            : new Problem(
                ProblemType.Forbidden, "The token belongs to another owner than the connection; open a new connection with it.");
    }

    private Problem? WhyNoToken(Caller caller) =>
        !access.Enabled
            ? new Problem(ProblemType.Unsupported, "This server asks for no keys, so it makes no tokens; send requests without one.")
        : caller.User is not null || caller.Key is null
            ? new Problem(ProblemType.Forbidden, "The server makes tokens for keys of the access file only; use your own token as it is.")
        : null;

    private static Problem? WhyNoGrants(Caller caller, IReadOnlyList<AccessGrant> grants)
    {
        foreach (var grant in grants)
        {
            foreach (var pattern in grant.Patterns)
            {
                foreach (var (bit, word) in PermissionWords.All)
                {
                    if (grant.Can.HasAny(bit) && !MayGrant(caller, bit, pattern))
                    {
                        return new Problem(
                            ProblemType.Forbidden,
                            $"The key '{caller.Key!.Name}' lacks the permission {word} on '{OptionValues.Shown(pattern)}', so its tokens "
                                + "cannot have it.");
                    }
                }
            }
        }

        return null;
    }

    /// <summary>A dead-letter queue is also granted by its source, which only a name shows.</summary>
    private static bool MayGrant(Caller caller, Permissions bit, string pattern) =>
        caller.MayOnAll(bit, pattern)
        || (!NamePattern.Has(pattern) && QueueName.TryParse(pattern, out var queue, out _) && caller.May(bit, queue));
}
