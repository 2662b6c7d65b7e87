using Microsoft.AspNetCore.Http;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Rest;

/// <summary><c>POST /token</c>: a short-lived token for a key.</summary>
internal sealed class TokenEndpoint(TokenOperations operations, AccessControl access)
{
    private const string Path = "/token";
    private const int BodyBytesMax = 64 * 1024;

    public void Map(RestRoutes routes) =>
        routes.Map(Path, (HttpMethods.Post, AccessRule.AnyKey, MakeAsync, NodeOperations.MakeToken));

    private async ValueTask<Problem?> MakeAsync(HttpContext context)
    {
        if (QueryOptions.None(context.Request) is { } problem)
        {
            return problem;
        }

        var (body, bodyProblem) = await RequestBody.ReadAsync(context, BodyBytesMax, ProblemType.MessageTooLarge);
        if (bodyProblem is not null)
        {
            return bodyProblem;
        }

        if (TokenRequestJson.Read(body, out var request) is { } broken)
        {
            return broken;
        }

        var made = await operations.MakeAsync(access.CallerOf(context), request);
        if (made.Problem is { } refusal)
        {
            return refusal;
        }

        if (request.Cookie)
        {
            SetCookie(context, made.Value!);
        }

        return await RestAnswers.ContractAsync(
            context, new TokenContract(made.Value!.Text, made.Value.Expires), ContractContext.Default.TokenContract);
    }

    /// <summary>No script reads the cookie, and a browser sends it only for pages of this server's own site.</summary>
    private static void SetCookie(HttpContext context, MadeToken token)
    {
        var path = (context.Request.PathBase + context.Request.Path).Value ?? "";
        context.Response.Cookies.Append(Credentials.CookieName, token.Text, new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            Path = path.Length > Path.Length ? path[..^Path.Length] : "/",
            Expires = token.Expires,
        });
    }
}
