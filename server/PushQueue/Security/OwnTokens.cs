using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>
/// Makes and checks the server's own tokens: JSON Web Tokens, signed by HMAC with the secret that the nodes of these queues share. A token
/// only narrows a key of the access file: without that key it is worth nothing.
/// </summary>
internal sealed class OwnTokens : IDisposable
{
    /// <summary>In the header of each own token: it says which of the two checks a token gets, and neither accepts the other's.</summary>
    public const string Type = "pushqueue+jwt";

    /// <summary>Issuer and audience of own tokens.</summary>
    private const string Party = "pushqueue";

    private const string GrantClaim = SecurityOptions.GrantClaim;

    /// <summary>The key by its hash, so that another key with the same id does not take the tokens over.</summary>
    private const string KeyClaim = "key";

    /// <summary>A secret that another node has replaced is noticed after this time; so is one that the operator has deleted.</summary>
    private static readonly TimeSpan SecretAgeMax = TimeSpan.FromMinutes(1);

    /// <summary>While the store is away, it is asked for the secret this often.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    private readonly AccessControl _access;
    private readonly ISharedSecret? _shared;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly JsonWebTokenHandler _handler =
        new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false, MaximumTokenSizeInBytes = AccessToken.ReadCharsMax };

    private volatile TokenSecret? _secret;
    private TimeSpan _wait;
    private long _readAt;

    public OwnTokens(AccessControl access, TimeProvider time, ISharedSecret? shared = null)
    {
        _access = access;
        _time = time;
        _shared = shared;
    }

    /// <summary>
    /// Reads the secret again if it is old, so that tokens of a replaced one end although no new token comes. Nothing is read before the
    /// first token.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The secret cannot be read now.</exception>
    public async ValueTask RefreshAsync()
    {
        if (_secret is not null)
        {
            _ = await SecretAsync();
        }
    }

    public static bool IsOne(JsonWebToken token) => token.Typ == Type;

    /// <summary>Makes a token that narrows the key of a caller.</summary>
    /// <exception cref="StoreUnavailableException">The secret cannot be read now.</exception>
    public async ValueTask<string> MakeAsync(AccessKey key, AccessToken token)
    {
        var claims = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            [JwtRegisteredClaimNames.Sub] = key.Id,
            [KeyClaim] = FingerprintOf(key),
        };
        if (token.Grants is not null)
        {
            claims[GrantClaim] = token.Grants.SelectMany(static grant => grant.Patterns.Select(grant.ToClaim)).ToArray();
        }

        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Party,
            Audience = Party,
            TokenType = Type,
            IssuedAt = _time.GetUtcNow().UtcDateTime,
            Expires = token.Expires.UtcDateTime,
            Claims = claims,
            SigningCredentials = new SigningCredentials((await SecretAsync()).Key, SecurityAlgorithms.HmacSha256),
        });
    }

    /// <exception cref="StoreUnavailableException">The secret cannot be read now.</exception>
    public async ValueTask<FoundCaller> FindAsync(JsonWebToken token)
    {
        var secret = await SecretAsync();
        var result = await _handler.ValidateTokenAsync(token, secret.Parameters);
        if (!result.IsValid || result.SecurityToken is not JsonWebToken valid)
        {
            // There is one key only, so an unknown one is a wrong signature.
            return FoundCaller.None(
                result.Exception is SecurityTokenSignatureKeyNotFoundException
                    ? TokenFailure.BadSignature
                    : TokenFailure.Describe(result.Exception));
        }

        if (_access.FindById(valid.Subject) is not { } owner
            || !valid.TryGetPayloadValue<string>(KeyClaim, out var fingerprint) || fingerprint != FingerprintOf(owner.Key!))
        {
            return FoundCaller.None("The key for which the token was made is gone or has expired; get a new one with another key.");
        }

        // Only a token without the claim has all rights of its key: one whose grants cannot be read has none of them.
        List<AccessGrant>? grants = !valid.TryGetPayloadValue<object>(GrantClaim, out _)
            ? null
            : [.. valid.Claims.Where(static claim => claim.Type == GrantClaim)
                .Select(static claim => QueueGrant.Parse(claim.Value)).OfType<QueueGrant>().Select(static grant => grant.Access)];
        return FoundCaller.Of(new Caller(
            owner, new AccessToken(new DateTimeOffset(valid.ValidTo, TimeSpan.Zero), grants) { SignedBy = secret }));
    }

    public void Dispose() => _reading.Dispose();

    private static string FingerprintOf(AccessKey key) => Base64Url.EncodeToString(SHA256.HashData(key.Hash).AsSpan(0, 12));

    private async ValueTask<TokenSecret> SecretAsync()
    {
        if (_secret is { } known && (!IsOld() || !await _reading.WaitAsync(0)))
        {
            // Another request reads it again meanwhile.
            return known;
        }

        if (_secret is null)
        {
            await _reading.WaitAsync();
        }

        try
        {
            if (_secret is { } other && !IsOld())
            {
                return other;
            }

            // A store of the application that keeps no secret gets one for the life of the process.
            var bytes = _shared is null
                ? _secret?.Key.Key ?? RandomNumberGenerator.GetBytes(ISharedSecret.Bytes)
                : await _shared.ReadAsync();
            WaitFor(SecretAgeMax);
            return Use(bytes);
        }
        catch (StoreUnavailableException) when (_secret is not null)
        {
            // The tokens of clients that are here stay good while the store is away.
            WaitFor(RetryInterval);
            return _secret;
        }
        finally
        {
            _reading.Release();
        }
    }

    private bool IsOld() => _time.GetElapsedTime(Interlocked.Read(ref _readAt)) >= _wait;

    private void WaitFor(TimeSpan duration)
    {
        _wait = duration;
        _ = Interlocked.Exchange(ref _readAt, _time.GetTimestamp());
    }

    private TokenSecret Use(byte[] bytes)
    {
        var former = _secret;
        if (former is not null && CryptographicOperations.FixedTimeEquals(former.Key.Key, bytes))
        {
            return former;
        }

        var parameters = new TokenValidationParameters
        {
            ValidIssuer = Party,
            ValidAudience = Party,
            ValidTypes = [Type],
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            LifetimeValidator = TokenLifetime.By(_time),
        };
        var secret = new TokenSecret(bytes, parameters);
        parameters.IssuerSigningKey = secret.Key;
        _secret = secret;
        if (former is not null)
        {
            former.Replace();
            _access.NoteTokensEnded();
        }

        return secret;
    }
}
