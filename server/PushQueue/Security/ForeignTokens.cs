using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PushQueue.Security;

/// <summary>
/// Has the tokens of others checked by the framework: those of the authority that the options name by its handler for JSON Web Tokens,
/// those of an application by the application's own scheme. Each gets a request of its own that has the token as its header
/// <c>Authorization</c>, because tokens also come where no scheme looks: in a subprotocol, in a cookie, over a socket.
/// </summary>
internal sealed class ForeignTokens(
    SecurityOptions options,
    AccessControl access,
    IServiceScopeFactory scopes,
    IOptionsMonitor<JwtBearerOptions> bearer,
    ILoggerFactory loggers)
{
    /// <summary>
    /// The name of the options of the authority's handler. It is not registered as a scheme, so it never becomes the application's default.
    /// </summary>
    public const string Scheme = "PushQueueToken";

    public async ValueTask<FoundCaller> FindAsync(string token, CancellationToken cancellationToken)
    {
        if (options.GrantsOf is null)
        {
            return FoundCaller.None("This server accepts only keys of its access file and tokens that it made for them.");
        }

        await using var scope = scopes.CreateAsyncScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider, RequestAborted = cancellationToken };
        context.Request.Headers.Authorization = $"Bearer {token}";
        var result = options.Jwt.Authority is null
            ? await AskApplicationAsync(scope.ServiceProvider, context)
            : await AskAuthorityAsync(context);
        return result.Succeeded ? Admit(result.Principal) : FoundCaller.None(TokenFailure.Describe(result.Failure));
    }

    private async Task<AuthenticateResult> AskAuthorityAsync(HttpContext context)
    {
        var handler = new JwtBearerHandler(bearer, loggers, UrlEncoder.Default);
        await handler.InitializeAsync(new AuthenticationScheme(Scheme, displayName: null, typeof(JwtBearerHandler)), context);
        return await handler.AuthenticateAsync();
    }

    private async Task<AuthenticateResult> AskApplicationAsync(IServiceProvider services, HttpContext context)
    {
        var scheme = options.TokenScheme
            ?? (services.GetService<IAuthenticationSchemeProvider>() is { } schemes
                ? (await schemes.GetDefaultAuthenticateSchemeAsync())?.Name
                : null);
        return scheme is null
            ? AuthenticateResult.NoResult()
            : await services.GetRequiredService<IAuthenticationService>().AuthenticateAsync(context, scheme);
    }

    private FoundCaller Admit(ClaimsPrincipal user)
    {
        var caller = access.FindUser(user);
        return caller is null ? FoundCaller.None(TokenFailure.Expired)
            : caller.Key!.Grants.Count > AccessToken.GrantsMax
                ? FoundCaller.None(
                    $"The token has {caller.Key.Grants.Count} grants; at most {AccessToken.GrantsMax} are accepted. Use patterns.")
            : FoundCaller.Of(caller);
    }
}
