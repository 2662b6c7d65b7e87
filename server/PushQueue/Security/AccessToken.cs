namespace PushQueue.Security;

/// <summary>A token that a server of these queues made for an access key: the key's rights for a short time, or some of them.</summary>
/// <param name="Expires">When it ends.</param>
/// <param name="Grants">The rights to which it narrows its key's; null for all of them.</param>
internal sealed record AccessToken(DateTimeOffset Expires, IReadOnlyList<AccessGrant>? Grants)
{
    /// <summary>The secret that signed it; null for a token that is about to be made.</summary>
    public TokenSecret? SignedBy { get; init; }

    /// <summary>The longest life of a token.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromHours(24);

    /// <summary>The life of a token whose maker names none.</summary>
    public static readonly TimeSpan AgeDefault = TimeSpan.FromMinutes(15);

    /// <summary>The longest token that is read, in characters. The web server's limit on all headers is twice as much.</summary>
    public const int ReadCharsMax = 16 * 1024;

    /// <summary>The longest token that is made: browsers keep no cookie of more than 4096 bytes.</summary>
    public const int MadeCharsMax = 3800;

    /// <summary>The most grants of one token.</summary>
    public const int GrantsMax = 100;

    /// <summary>Whether a text can be a token rather than a key: keys have no dot, tokens have two.</summary>
    public static bool IsLike(ReadOnlySpan<char> text) => text.Contains('.');
}
