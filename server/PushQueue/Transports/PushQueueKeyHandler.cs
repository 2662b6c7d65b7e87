using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>
/// The keys of the access file as a scheme of ASP.NET Core, for an application that asks for them at endpoints of its own, or for keys or
/// its own users at the queue's. The queue's endpoints find keys by themselves.
/// </summary>
internal sealed class PushQueueKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, AccessControl access)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var key = Credentials.Read(
            Request, inQuery: Context.GetEndpoint()?.Metadata.GetMetadata<RouteAccess>()?.Of(Request.Method)?.Lasts ?? false);
        if (key.IsEmpty)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        return Task.FromResult(access.Find(key, out var whyNot) is { } caller
            ? AuthenticateResult.Success(new AuthenticationTicket(caller, Scheme.Name))
            : AuthenticateResult.Fail(whyNot));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        _ = access.Find(Credentials.Read(Request, inQuery: false), out var whyNot);
        Response.Headers.WWWAuthenticate = AccessBorder.ChallengesFor(Request);
        return RefusalForm.RefuseAsync(Context, new Problem(ProblemType.Unauthorized, whyNot));
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        RefusalForm.RefuseAsync(Context, new Problem(ProblemType.Forbidden));
}
