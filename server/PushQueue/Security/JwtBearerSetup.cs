using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace PushQueue.Security;

/// <summary>The options of the framework's handler for the authority's tokens.</summary>
internal sealed class JwtBearerSetup(SecurityOptions options, KeySetFile keys, TimeProvider time) : IConfigureNamedOptions<JwtBearerOptions>
{
    /// <summary>
    /// The algorithms with a public key. One with a shared secret is not among them: the key set is public, and a token that is signed with
    /// a public key as if it were a secret must not pass.
    /// </summary>
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    public void Configure(JwtBearerOptions bearer) => Configure(Options.DefaultName, bearer);

    public void Configure(string? name, JwtBearerOptions bearer)
    {
        if (name != ForeignTokens.Scheme || options.Jwt.Authority is not { } authority)
        {
            return;
        }

        bearer.TimeProvider = time;
        bearer.MapInboundClaims = false;
        bearer.SaveToken = false;
        bearer.TokenValidationParameters = new TokenValidationParameters
        {
            ValidAudience = options.Jwt.Audience,
            ValidAlgorithms = Algorithms,
            NameClaimType = "sub",
            LifetimeValidator = TokenLifetime.By(time),
        };
        if (options.Jwt.KeysFile is not null)
        {
            bearer.ConfigurationManager = keys;
            return;
        }

        bearer.Authority = authority;
        bearer.RequireHttpsMetadata = !JwtOptions.IsSafe(authority) || authority.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
    }
}
