using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>
/// The keys of the access file and the tokens that the server makes for them as a scheme of ASP.NET Core, for an application that asks for
/// them at endpoints of its own, or for keys or its own users at the queue's. The queue's endpoints find both by themselves.
/// </summary>
internal sealed class PushQueueKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, AccessControl access, OwnTokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private string _whyNot = "";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var key = Credentials.Read(
            Request, Context.GetEndpoint()?.Metadata.GetMetadata<RouteAccess>()?.Of(Request.Method)?.Lasts ?? false).ToString();
        if (key.Length == 0)
        {
            return AuthenticateResult.NoResult();
        }

        var found = await FindAsync(key);
        _whyNot = found.WhyNot;
        return found.Caller is { } caller
            ? AuthenticateResult.Success(new AuthenticationTicket(caller, Scheme.Name))
            : AuthenticateResult.Fail(found.WhyNot);
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (_whyNot.Length == 0)
        {
            _ = access.Find("", out _whyNot);
        }

        Response.Headers.WWWAuthenticate = AccessBorder.ChallengesFor(Request);
        return RefusalForm.RefuseAsync(Context, new Problem(ProblemType.Unauthorized, _whyNot));
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        RefusalForm.RefuseAsync(Context, new Problem(ProblemType.Forbidden));

    private async ValueTask<FoundCaller> FindAsync(string key)
    {
        // A token of others is not this scheme's: asking the application's own schemes from here could lead back to here.
        if (AccessToken.IsLike(key) && TokenReading.Read(key, out _) is { } token && OwnTokens.IsOne(token))
        {
            return await tokens.FindAsync(token);
        }

        return access.Find(key, out var whyNot) is { } caller ? FoundCaller.Of(caller) : FoundCaller.None(whyNot);
    }
}
