using PushQueue.Security;

namespace PushQueue.Transports.Operations;

/// <summary>A request for a token.</summary>
internal sealed record TokenRequest
{
    /// <summary>The rights; null for all that its maker has.</summary>
    public IReadOnlyList<AccessGrant>? Grants { get; init; }

    /// <summary>How long it lasts.</summary>
    public TimeSpan Age { get; init; } = AccessToken.AgeDefault;

    /// <summary>Whether the answer also sets it as the cookie of the browser.</summary>
    public bool Cookie { get; init; }
}

/// <summary>A token, and when it ends.</summary>
internal sealed record MadeToken(string Text, DateTimeOffset Expires);

/// <summary>The rights of a connection after a renewal.</summary>
/// <param name="Expires">When they end; null for never.</param>
internal sealed record RenewedRights(DateTimeOffset? Expires);
