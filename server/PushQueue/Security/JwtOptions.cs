namespace PushQueue.Security;

/// <summary>The tokens of an authority that the server accepts. Their claims <c>pushqueue</c> are their permissions.</summary>
public sealed class JwtOptions
{
    /// <summary>
    /// The issuer of the tokens. Without <see cref="KeysFile"/> it is the URL of an OpenID Connect authority, from which the server gets
    /// the signing keys. Null: no tokens of an authority are accepted.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>The audience that each token must name; required with an authority.</summary>
    public string? Audience { get; set; }

    /// <summary>
    /// A file with the authority's key set (JWKS, RFC 7517), for a server without a network. It is read again when it changes, and the
    /// authority is never asked.
    /// </summary>
    public string? KeysFile { get; set; }

    /// <summary>Everything that is wrong, a sentence each.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Authority is null)
        {
            if (Audience is not null)
            {
                yield return
                    "Security.Jwt.Audience (--jwt-audience) needs an authority; name the issuer of the tokens with --jwt-authority.";
            }

            if (KeysFile is not null)
            {
                yield return "Security.Jwt.KeysFile (--jwt-keys) needs an authority; name the issuer of the tokens with --jwt-authority.";
            }

            yield break;
        }

        if (string.IsNullOrWhiteSpace(Audience))
        {
            yield return "Security.Jwt.Authority (--jwt-authority) needs an audience; name the one of this server's tokens with "
                + "--jwt-audience.";
        }

        if (string.IsNullOrWhiteSpace(Authority))
        {
            yield return "Security.Jwt.Authority (--jwt-authority) is empty; name the issuer of the tokens.";
        }
        else if (KeysFile is null && !IsSafe(Authority))
        {
            yield return $"Security.Jwt.Authority (--jwt-authority) is '{Authority}'; give an https URL, http only for a loopback address, "
                + "or the keys in a file with --jwt-keys.";
        }
    }

    /// <summary>A party that changes the answers of an authority can sign tokens, so keys come over TLS or from this machine.</summary>
    internal static bool IsSafe(string authority) =>
        Uri.TryCreate(authority, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));
}
