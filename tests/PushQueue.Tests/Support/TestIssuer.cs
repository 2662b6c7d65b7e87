using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace PushQueue.Tests.Support;

/// <summary>An authority without a server: its key set in a file, and tokens of every kind, good and bad, made by hand.</summary>
internal sealed class TestIssuer : IDisposable
{
    public const string Name = "https://login.example";
    public const string Audience = "queues";

    private readonly TemporaryDirectory _directory = new();
    private readonly RSA _stranger = RSA.Create(2048);
    private RSA _key = RSA.Create(2048);

    public TestIssuer() => WriteKeys();

    public string KeysFile => _directory.File("keys.json");

    public string KeyId { get; private set; } = "first";

    /// <summary>A token that is good for ten minutes, with changes.</summary>
    /// <param name="grants">Values of the claim <c>pushqueue</c>.</param>
    /// <param name="change">Changes the claims.</param>
    public string Make(string[] grants, Action<Dictionary<string, object>>? change = null)
    {
        var claims = Claims(grants);
        change?.Invoke(claims);
        return Sign(Header(), claims);
    }

    /// <summary>Tokens that must not pass, by what is wrong with them; each would be good without that.</summary>
    public string MakeBad(string kind)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = Claims(["put,take,listen,manage:*"]);
        switch (kind)
        {
            case "expired":
                return Sign(Header(), With(claims, "exp", now - 1));
            case "not yet valid":
                return Sign(Header(), With(claims, "nbf", now + 300));
            case "without an end":
                claims.Remove("exp");
                return Sign(Header(), claims);
            case "other audience":
                return Sign(Header(), With(claims, "aud", "others"));
            case "other issuer":
                return Sign(Header(), With(claims, "iss", "https://evil.example"));
            case "unsigned":
                return Unsigned(Header(), claims);
            case "alg none":
                return Unsigned(With(Header(), "alg", "none"), claims);
            case "alg nOnE with a signature":
                return Unsigned(With(Header(), "alg", "nOnE"), claims) + Part([1, 2, 3]);
            case "another key under the same id":
                return Sign(Header(), claims, _stranger);
            case "unknown key id":
                return Sign(With(Header(), "kid", "nobody"), claims, _stranger);
            case "no key id":
                return Sign(Without(Header(), "kid"), claims, _stranger);
            case "public key as secret":
                return Hmac(With(Header(), "alg", "HS256"), claims, _key.ExportSubjectPublicKeyInfo());
            case "public key in PEM as secret":
                return Hmac(With(Header(), "alg", "HS256"), claims, Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()));
            case "modulus as secret":
                return Hmac(With(Header(), "alg", "HS256"), claims, _key.ExportParameters(false).Modulus!);
            case "claims to be the server's own":
                return Sign(With(Header(), "typ", "pushqueue+jwt"), claims);
            case "own by another secret":
                return Hmac(
                    With(With(Header(), "alg", "HS256"), "typ", "pushqueue+jwt"),
                    With(With(claims, "iss", "pushqueue"), "aud", "pushqueue"), new byte[32]);
            case "embedded key":
                return Sign(
                    With(Without(Header(), "kid"), "jwk", JsonSerializer.SerializeToElement(Public(_stranger, "x"))), claims, _stranger);
            case "changed claims":
                var good = Sign(Header(), Claims(["listen:other"])).Split('.');
                return $"{good[0]}.{Unsigned(Header(), claims).Split('.')[1]}.{good[2]}";
            case "500 grants":
                return Sign(Header(), Claims([.. Enumerable.Range(0, 500).Select(static i => $"put:q{i}")]));
            case "garbage":
                return "a.b.c";
            case "dots":
                return "..";
            case "five parts":
                return "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0..AAAA.AAAA.AAAA";
            case "not JSON":
                return $"{Part("{"u8)}.{Part("{"u8)}.{Part([1])}";
            case "not UTF-8":
                return $"{Part([0xFF, 0xFE])}.{Part([0xFF])}.{Part([1])}";
            case "deeply nested":
                return $"{Part(Encoding.ASCII.GetBytes(new string('[', 5000)))}.{Part("{}"u8)}.{Part([1])}";
            case "10,000 claims":
                return Sign(Header(), Enumerable.Range(0, 10_000).Aggregate(claims, static (all, i) => With(all, $"c{i}", 1)));
            case "1 MB":
                return Sign(Header(), With(claims, "long", new string('x', 1024 * 1024)));
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, null);
        }
    }

    /// <summary>A new key, with a new id.</summary>
    public void Rotate()
    {
        _key.Dispose();
        _key = RSA.Create(2048);
        KeyId = "second";
        WriteKeys();
    }

    public void WriteText(string text)
    {
        File.WriteAllText(KeysFile + ".new", text);
        File.Move(KeysFile + ".new", KeysFile, overwrite: true);
    }

    public void Dispose()
    {
        _key.Dispose();
        _stranger.Dispose();
        _directory.Dispose();
    }

    private void WriteKeys() => WriteText(JsonSerializer.Serialize(new { keys = new[] { Public(_key, KeyId) } }));

    private static Dictionary<string, string> Public(RSA key, string id)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["kty"] = "RSA", ["use"] = "sig", ["kid"] = id, ["n"] = Part(parameters.Modulus), ["e"] = Part(parameters.Exponent),
        };
    }

    private Dictionary<string, object> Header() =>
        new(StringComparer.Ordinal) { ["alg"] = "RS256", ["typ"] = "JWT", ["kid"] = KeyId };

    private static Dictionary<string, object> Claims(string[] grants) => new(StringComparer.Ordinal)
    {
        ["iss"] = Name,
        ["aud"] = Audience,
        ["sub"] = "alice",
        ["exp"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 600,
        ["pushqueue"] = grants,
    };

    private static Dictionary<string, object> With(Dictionary<string, object> fields, string name, object value)
    {
        fields[name] = value;
        return fields;
    }

    private static Dictionary<string, object> Without(Dictionary<string, object> fields, string name)
    {
        fields.Remove(name);
        return fields;
    }

    private static string Unsigned(object header, object claims) =>
        $"{Part(JsonSerializer.SerializeToUtf8Bytes(header))}.{Part(JsonSerializer.SerializeToUtf8Bytes(claims))}.";

    private string Sign(object header, object claims, RSA? key = null)
    {
        var text = Unsigned(header, claims);
        return text + Part((key ?? _key).SignData(
            Encoding.ASCII.GetBytes(text[..^1]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private static string Hmac(object header, object claims, byte[] secret)
    {
        var text = Unsigned(header, claims);
        return text + Part(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(text[..^1])));
    }

    private static string Part(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
