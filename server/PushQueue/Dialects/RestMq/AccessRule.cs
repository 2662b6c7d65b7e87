using System.Security.Cryptography;
using System.Text;

namespace PushQueue.Dialects.RestMq;

/// <summary>One section of the access file.</summary>
/// <param name="Allowed">Address prefixes of <c>hosts_allow</c>; null where it is not given.</param>
/// <param name="Denied">Address prefixes of <c>hosts_deny</c>; null where it is not given.</param>
/// <param name="User">Null where no password is asked for.</param>
/// <param name="Password">Given together with <paramref name="User"/>.</param>
internal sealed record AccessRule(IReadOnlyList<string>? Allowed, IReadOnlyList<string>? Denied, string? User, string? Password)
{
    public const string Everyone = "all";

    /// <summary>Everybody may.</summary>
    public static AccessRule Open { get; } = new(null, null, null, null);

    /// <summary>
    /// Whom hosts_allow names may come. With hosts_allow, others may where hosts_deny is there too and does not name them; without it, all
    /// whom hosts_deny does not name.
    /// </summary>
    public bool Allows(string address) =>
        Names(Allowed, address) || (!Names(Denied, address) && (Allowed is null || Denied is not null));

    /// <param name="credentials">The credentials of the request, as <c>user:password</c>; null for nothing.</param>
    public bool Knows(string? credentials) =>
        User is null
        || (credentials is not null
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(credentials), Encoding.UTF8.GetBytes($"{User}:{Password}")));

    private static bool Names(IReadOnlyList<string>? prefixes, string address) =>
        prefixes?.Any(prefix => prefix == Everyone || address.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) ?? false;
}
