using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace PushQueue.Security;

/// <summary>Reads a token without a check, to see who has to check it.</summary>
internal static class TokenReading
{
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = AccessToken.ReadCharsMax };

    /// <summary>The token, of which nothing is proved; null with a sentence if it can be refused at once.</summary>
    public static JsonWebToken? Read(string text, out string whyNot)
    {
        whyNot = text.Length > AccessToken.ReadCharsMax ? TokenFailure.TooLong : TokenFailure.Unreadable;
        if (text.Length > AccessToken.ReadCharsMax || !Handler.CanReadToken(text))
        {
            return null;
        }

        try
        {
            var token = Handler.ReadJsonWebToken(text);
            if (string.IsNullOrEmpty(token.Alg) || token.Alg.Equals(SecurityAlgorithms.None, StringComparison.OrdinalIgnoreCase)
                || token.EncodedSignature.Length == 0)
            {
                whyNot = TokenFailure.Unsigned;
                return null;
            }

            whyNot = "";
            return token;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The library has no list of what it throws for a text that only looks like a token; whatever it is, the text is refused.
            return null;
        }
    }
}
