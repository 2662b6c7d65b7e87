using System.Security.Claims;

namespace PushQueue.Security;

/// <summary>The callers that may use the server, and the pages from which they may.</summary>
public sealed class SecurityOptions
{
    /// <summary>The claim that grants, one for each grant.</summary>
    internal const string GrantClaim = "pushqueue";

    private const string Subdomains = "://*.";

    /// <summary>The file with the keys and what each may do; it is read again when it changes. Null: everybody may do everything.</summary>
    public string? AccessFile { get; set; }

    /// <summary>
    /// Origins whose pages may use this server, as browsers name them: <c>https://app.example</c>; <c>https://*.example</c> for every name
    /// below
    /// <c>example</c>; <c>null</c> for pages without an origin, such as files; <c>*</c> for every page.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// Names under which a server that listens on loopback only may be addressed, in addition to localhost and loopback addresses: those of
    /// a proxy in front. <c>*</c> for every name.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>
    /// The permissions of a user of the application's own authentication; null where only keys count. With it, a request needs a key or a
    /// user who is granted something. It is asked for each request, and once a second for each connection that lasts, so it should answer
    /// from memory.
    /// </summary>
    public Func<ClaimsPrincipal, IEnumerable<QueueGrant>>? GrantsOf { get; set; }

    /// <summary>
    /// The application's authentication scheme that checks tokens which come elsewhere than in the header <c>Authorization</c>: in the URL
    /// or the cookie of a stream, in a WebSocket's subprotocol, and as renewals over a connection. The scheme gets them in that header.
    /// Null for the default scheme.
    /// </summary>
    public string? TokenScheme { get; set; }

    /// <summary>The tokens of an authority that the server checks by itself, without authentication of an application.</summary>
    public JwtOptions Jwt { get; } = new();

    /// <summary>Takes the grants out of the user's claims: <c>put,listen:orders.*</c>, a claim for each grant.</summary>
    /// <param name="claimType">The type of the claims.</param>
    public void UseClaims(string claimType = GrantClaim) =>
        GrantsOf = user => user.FindAll(claimType).Select(static claim => QueueGrant.Parse(claim.Value)).OfType<QueueGrant>();

    /// <summary>An origin as browsers write it; null where the text is not an origin.</summary>
    internal static string? NormalOrigin(string text) =>
        text is "*" or "null" ? text
        : text.Contains(Subdomains, StringComparison.Ordinal)
            ? NormalOrigin(text.Replace(Subdomains, "://", StringComparison.Ordinal))?.Replace("://", Subdomains, StringComparison.Ordinal)
        : Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0
            && uri.PathAndQuery is "" or "/" && uri is { Fragment: "", UserInfo: "" }
            ? uri.IsDefaultPort ? $"{uri.Scheme}://{uri.IdnHost}" : $"{uri.Scheme}://{uri.IdnHost}:{uri.Port}"
            : null;
}
