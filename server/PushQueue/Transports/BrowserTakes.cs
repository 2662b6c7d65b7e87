using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using PushQueue.Security;

namespace PushQueue.Transports;

/// <summary>
/// Keeps browsers from taking messages that nobody asked for. A GET of a queue takes a message, and browsers send a GET to prefetch a link
/// and to open, reload or restore a page. A prefetch is refused; a page load gets a page that says what the address does and has a button
/// to do it.
/// </summary>
internal static class BrowserTakes
{
    private static readonly Problem Prefetch = new(
        ProblemType.Forbidden, "This GET takes a message, so a browser's prefetch of it is refused. Nothing was taken.");

    /// <summary>Wraps an endpoint of which a GET takes messages; any other is returned as it is.</summary>
    public static RequestDelegate Guard(EndpointBuilder endpoint, RequestDelegate next)
    {
        var rule = endpoint.Metadata.OfType<RouteAccess>().LastOrDefault()?.Rules
            .FirstOrDefault(static rule => rule.Method is not null && HttpMethods.IsGet(rule.Method)).Rule;
        if (rule?.AnyOf != Permissions.Take)
        {
            return next;
        }

        var form = RefusalForm.Of(endpoint);
        var namesQueueInQuery = rule.Scope == AccessScope.QueueInRequest;
        return context => !HttpMethods.IsGet(context.Request.Method) || (namesQueueInQuery && !context.Request.QueryString.HasValue)
            ? next(context)
            : ServeAsync(context, form, next);
    }

    private static Task ServeAsync(HttpContext context, RefusalForm form, RequestDelegate next)
    {
        var headers = context.Request.Headers;
        if (Says(headers["Sec-Purpose"], "prefetch") || Says(headers["Purpose"], "prefetch") || Says(headers["X-Moz"], "prefetch"))
        {
            context.Response.Headers.CacheControl = "no-store";
            return form.AnswerAsync(context, Prefetch);
        }

        return Says(headers["Sec-Fetch-Dest"], "document") ? PageAsync(context) : next(context);
    }

    /// <summary>Whether a header has a word: <c>prefetch</c>, <c>prefetch;prerender</c>.</summary>
    private static bool Says(StringValues header, string word) =>
        header.Count > 0 && header.ToString().AsSpan().TrimStart().StartsWith(word, StringComparison.OrdinalIgnoreCase);

    private static async Task PageAsync(HttpContext context)
    {
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; base-uri 'none'; form-action "
                + "'none'; "
            + "frame-ancestors 'none'";
        await RestAnswers.BytesAsync(context, StatusCodes.Status200OK, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(Page(nonce)));
    }

    // The address, and whatever the message holds, go into the page as text only.
    private static string Page(string nonce) => $$"""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Take a message - PushQueue</title>
        <style nonce="{{nonce}}">
        body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 45rem; padding: 0 1rem; color-scheme: light dark; }
        pre { border: 1px solid; overflow: auto; padding: 0.5rem; white-space: pre-wrap; }
        </style>
        <h1>This address takes a message</h1>
        <p>A GET of <code id="address"></code> takes the next message out of its queue.
        Your browser loaded it as a page, so nothing was taken.</p>
        <p><button id="take" type="button">Take the next message</button></p>
        <p id="state" role="status"></p>
        <pre id="body" hidden></pre>
        <script nonce="{{nonce}}">
        const of = id => document.getElementById(id);
        of("address").textContent = location.pathname;
        of("take").addEventListener("click", async () => {
          of("body").hidden = true;
          try {
            const answer = await fetch(location.href, { cache: "no-store" });
            const id = answer.headers.get("PushQueue-Id");
            of("state").textContent = answer.status === 204 ? "No message is ready."
              : answer.ok ? (id === null ? "Taken." : `Taken: message ${id}.`)
              : `The server answered ${answer.status}.`;
            of("body").textContent = await answer.text();
            of("body").hidden = of("body").textContent === "";
          } catch (error) {
            of("state").textContent = `The server cannot be reached: ${error.message}`;
          }
        });
        </script>
        </html>
        """;
}
