using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using PushQueue.Transports;

namespace PushQueue;

/// <summary>
/// Serves short requests on the thread that waits for the sockets. By default a request changes threads three times before anybody reads
/// it, which costs more than putting or taking a message does. Puts, takes and acks stay on that thread; everything else goes to the pool
/// first, because a request that holds that thread holds up every connection it serves.
/// </summary>
public static class SocketThreadExtensions
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>
    /// Lets sockets call back on the thread that waits for them. Holds for the whole process and is read once: call it before the first
    /// socket is made, and <see cref="UsePoolForLongRequests"/> with it. Where the operator has set .NET's variable for it, that wins.
    /// </summary>
    public static IWebHostBuilder UseSocketThreads(this IWebHostBuilder builder)
    {
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }

        return builder.UseSockets(static sockets => sockets.UnsafePreferInlineScheduling = true);
    }

    /// <summary>Sends all but the short requests to the pool. Call it behind <c>UseRouting</c>.</summary>
    public static IApplicationBuilder UsePoolForLongRequests(this IApplicationBuilder app) =>
        app.Use(static (context, next) => IsShort(context) ? next(context) : OnPoolAsync(context, next));

    private static bool IsShort(HttpContext context) =>
        (HttpMethods.IsPost(context.Request.Method) || HttpMethods.IsGet(context.Request.Method))
        && context.GetEndpoint()?.Metadata.GetMetadata<ShortRequest>() is not null;

    private static async Task OnPoolAsync(HttpContext context, RequestDelegate next)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await next(context);
    }
}
