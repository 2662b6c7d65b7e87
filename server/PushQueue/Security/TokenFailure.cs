using Microsoft.IdentityModel.Tokens;

namespace PushQueue.Security;

/// <summary>
/// Why a token is refused, as a sentence for its client. The sentences of the library hold claims and parts of the token, so they go
/// nowhere.
/// </summary>
internal static class TokenFailure
{
    public const string Expired = "The token has expired; get a new one.";

    public const string Unreadable = "The token cannot be read; send a JSON Web Token, or a key of the access file.";

    public const string Unsigned = "The token is not signed; only signed tokens are accepted.";

    public const string BadSignature = "The signature of the token is not valid; get a new one.";

    public static readonly string TooLong =
        $"The token has more than {AccessToken.ReadCharsMax} characters; get one with fewer claims.";

    // Derived types come before their base.
    public static string Describe(Exception? failure) => failure switch
    {
        SecurityTokenExpiredException => Expired,
        SecurityTokenNotYetValidException =>
            "The token is not valid yet; wait, or compare the clocks of its issuer and of this server.",
        SecurityTokenNoExpirationException => "The token never expires; only tokens with the claim 'exp' are accepted.",
        SecurityTokenInvalidAudienceException => "The token is for another audience; get one for this server.",
        SecurityTokenInvalidIssuerException => "The token is of another issuer; get one of the issuer that this server accepts.",
        SecurityTokenInvalidTypeException => "The token is of another type; get one for this server.",
        SecurityTokenInvalidAlgorithmException => "The token is signed with an algorithm that this server does not accept.",
        SecurityTokenSignatureKeyNotFoundException =>
            "The token is signed with a key that is not known here; get a new one, or ask the operator for the key set.",
        SecurityTokenInvalidSignatureException => BadSignature,
        SecurityTokenMalformedException or ArgumentException => Unreadable,
        _ => "The token is not valid; get a new one.",
    };
}
