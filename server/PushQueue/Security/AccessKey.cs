using System.Security.Cryptography;
using System.Text;

namespace PushQueue.Security;

/// <summary>
/// One key of the access file. The file holds a salted SHA-256: a key is 256 random bits, which nobody can guess however fast a guess can
/// be tried, so a slow hash would only make each request dear.
/// </summary>
internal sealed record AccessKey(string Id, string Name, byte[] Salt, byte[] Hash)
{
    public const int SaltBytes = 16;

    private const string Prefix = "pq_";
    private const int IdLength = 10;
    private const int SecretBytes = 32;
    private const int SecretLength = 43;
    private const int TextLength = 3 + IdLength + 1 + SecretLength;

    public DateTimeOffset? Expires { get; init; }

    public IReadOnlyList<AccessGrant> Grants { get; init; } = [];

    public KeyLimits Limits { get; init; } = new();

    /// <summary>A new key: the entry for the file, and the key itself, which nothing keeps.</summary>
    public static (AccessKey Key, string Text) Create(string name)
    {
        var id = RandomNumberGenerator.GetHexString(IdLength, lowercase: true);
        var text = $"{Prefix}{id}_{System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes))}";
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var hash = new byte[SHA256.HashSizeInBytes];
        MakeHash(salt, text, hash);
        return (new AccessKey(id, name, salt, hash), text);
    }

    /// <summary>The id within a key; empty where the text is not a key.</summary>
    public static ReadOnlySpan<char> IdIn(ReadOnlySpan<char> text) =>
        text.Length == TextLength && text.StartsWith(Prefix, StringComparison.Ordinal) && text[Prefix.Length + IdLength] == '_'
            ? text.Slice(Prefix.Length, IdLength)
            : default;

    public static bool IsId(string text) => text.Length == IdLength && text.AsSpan().IndexOfAnyExcept("0123456789abcdef") < 0;

    /// <summary>
    /// Whether the text, of which <see cref="IdIn"/> gave this key's id, is this key. Takes the same time for all that are not.
    /// </summary>
    public bool Is(ReadOnlySpan<char> text)
    {
        // hot path: every request with a key. Nothing is allocated.
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        return MakeHash(Salt, text, hash) && CryptographicOperations.FixedTimeEquals(hash, Hash);
    }

    private static bool MakeHash(ReadOnlySpan<byte> salt, ReadOnlySpan<char> text, Span<byte> hash)
    {
        Span<byte> salted = stackalloc byte[SaltBytes + TextLength];
        salt.CopyTo(salted);
        if (!Encoding.UTF8.TryGetBytes(text, salted[SaltBytes..], out var length) || length != TextLength)
        {
            return false;
        }

        _ = SHA256.HashData(salted, hash);
        CryptographicOperations.ZeroMemory(salted);
        return true;
    }
}
