using Microsoft.IdentityModel.Tokens;

namespace PushQueue.Security;

/// <summary>
/// The check of a token's times by the server's own clock object. The library's check allows five minutes after the end; connections are
/// checked to the second, so a request within those minutes would be admitted and its stream closed at once.
/// </summary>
internal static class TokenLifetime
{
    /// <summary>How far the clock of an issuer may be ahead.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(30);

    public static LifetimeValidator By(TimeProvider time) => (notBefore, expires, _, _) =>
    {
        var now = time.GetUtcNow().UtcDateTime;
        return expires is not { } end ? throw new SecurityTokenNoExpirationException()
            : now >= end ? throw new SecurityTokenExpiredException()
            : notBefore > now + Ahead ? throw new SecurityTokenNotYetValidException()
            : true;
    };
}
