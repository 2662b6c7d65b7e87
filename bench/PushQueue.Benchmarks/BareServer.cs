using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PushQueue.Benchmarks;

/// <summary>
/// The least that a put over REST can cost: Kestrel on the sockets' threads, as PushQueue uses it, with one endpoint that reads the body
/// into an array and answers with the bytes of a put. It keeps nothing.
/// </summary>
internal static class BareServer
{
    /// <summary>Serves until the process is ended.</summary>
    public static Task RunAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSocketThreads();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenLocalhost(port);
        });
        var application = builder.Build();
        var count = 0L;
        application.MapPost("/q/{queue}", async context =>
        {
            var body = GC.AllocateUninitializedArray<byte>((int)context.Request.ContentLength!.Value);
            await context.Request.Body.ReadExactlyAsync(body);
            var number = Interlocked.Increment(ref count).ToString(CultureInfo.InvariantCulture);
            var answer = Encoding.UTF8.GetBytes(
                $$"""{"queue":"{{context.Request.RouteValues["queue"]}}","id":"{{number}}","duplicate":false,"durability":"memory"}""");
            var response = context.Response;
            response.StatusCode = StatusCodes.Status201Created;
            response.ContentType = "application/json";
            response.ContentLength = answer.Length;
            response.Headers.CacheControl = "no-store";
            response.Headers.XContentTypeOptions = "nosniff";
            response.Headers.Location = $"/q/{context.Request.RouteValues["queue"]}/messages/{number}";
            await response.BodyWriter.WriteAsync(answer);
        });
        return application.RunAsync();
    }
}
