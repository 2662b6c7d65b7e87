using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.Streaming;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Watching;

/// <summary>
/// The consumers of a queue: <c>GET /q/{queue}/presence</c> once, <c>GET /sse/{queue}/presence</c> as a stream of events.
/// </summary>
internal sealed class PresenceEndpoints(
    PresenceWatch presence, ConnectionCallers callers, WatcherPlaces places, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);

    /// <summary>Sent on an idle stream, because proxies cut connections without traffic.</summary>
    private static readonly SseItem<string> Heartbeat = new("{}", "heartbeat");

    public static AccessRule Rule { get; } = AccessRule.Queue(Permissions.Listen | Permissions.Manage);

    /// <summary>Null if the caller may still watch.</summary>
    public static Problem? WhyNot(ConnectionCaller caller, QueueName queue) =>
        caller.WhyNot(now => now.WhyNot(Rule.AnyOf, queue), out _);

    public void MapStream(IEndpointRouteBuilder routes) =>
        routes.MapGet("/sse/{queue}/presence", (RequestDelegate)ServeAsync)
            .Describe(HttpMethods.Get, StreamOperations.WatchPresence).RequireAccess(Rule with { Lasts = true });

    public ValueTask<PresenceContract> ListAsync(QueueName queue) => presence.ListAsync(queue);

    private async Task ServeAsync(HttpContext context)
    {
        if (RawPath.Queue(context, 1, out var queue) is { } wrong)
        {
            await RefusalForm.RefuseAsync(context, wrong);
            return;
        }

        if (StreamRequest.WhyNoOptions(context.Request, "this stream takes none") is { } sentence)
        {
            await RefusalForm.RefuseAsync(context, Problem.BadOption(sentence));
            return;
        }

        using var place = places.TryTake(out var problem);
        if (place is null)
        {
            await RefusalForm.RefuseAsync(context, problem!);
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.Headers["X-Accel-Buffering"] = "no";
        await TypedResults.ServerSentEvents(EventsAsync(callers.Of(context.User), queue, ended.Token)).ExecuteAsync(context);
    }

    private async IAsyncEnumerable<SseItem<string>> EventsAsync(
        ConnectionCaller caller, QueueName queue, [EnumeratorCancellation] CancellationToken cancelled)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        await using var events = presence.WatchAsync(queue, end.Token).GetAsyncEnumerator(CancellationToken.None);
        var next = events.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                var happened = await HasHappenedAsync(next);
                if (happened && !await next)
                {
                    yield break;
                }

                if (WhyNot(caller, queue) is { } problem)
                {
                    yield return new SseItem<string>($"{{\"reason\":\"access-ended\",\"type\":\"{problem.Type.Name}\"}}", "close");
                    yield break;
                }

                yield return happened ? new SseItem<string>(Encoding.UTF8.GetString(events.Current.Json), events.Current.Name) : Heartbeat;
                next = happened ? events.MoveNextAsync().AsTask() : next;
            }
        }
        finally
        {
            // An enumerator may be disposed only when no call of it is under way.
            await end.CancelAsync();
            _ = await next;
        }
    }

    /// <summary>False if a heartbeat is due.</summary>
    private async Task<bool> HasHappenedAsync(Task next)
    {
        try
        {
            await next.WaitAsync(HeartbeatInterval, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
