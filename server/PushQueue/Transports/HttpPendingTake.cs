using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>A take whose answer is an HTTP response. It was written when the client's system has acknowledged all of it.</summary>
internal sealed class HttpPendingTake(HttpContext context) : PendingTake
{
    // The store is out of reach: the settler continues by itself, and the connection serves its next request.
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan PollMin = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan PollMax = TimeSpan.FromMilliseconds(50);

    protected override void OnHeld() => context.Response.OnCompleted(static state => ((HttpPendingTake)state).SettleAsync(), this);

    private async Task SettleAsync()
    {
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        var settled = SettleAsync(context.Response.StatusCode == StatusCodes.Status200OK && await IsSentAsync(time));
        try
        {
            await settled.WaitAsync(StoreTimeout, time);
        }
        catch (TimeoutException)
        {
            // The store reports its absence itself.
        }
    }

    /// <summary>
    /// The last bytes of an answer are in the socket's queue when its write completes. They may stay there for as long as the client
    /// reads slowly, and be lost with it. So this waits for the acknowledgement of the client's system; a client that vanishes is cut,
    /// see docs/SECURITY.md.
    /// </summary>
    private async ValueTask<bool> IsSentAsync(TimeProvider time)
    {
        if (HttpProtocol.IsHttp2(context.Request.Protocol) && context.RequestAborted.IsCancellationRequested)
        {
            // The client gave up this stream of a connection that lives.
            return false;
        }

        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket || TcpProgress.Read(socket) is not { } written)
        {
            return !context.RequestAborted.IsCancellationRequested;
        }

        if (written.IsClosed)
        {
            // The kernel has dropped what it had not sent, so the numbers no longer tell whether that was the end of the answer.
            return false;
        }

        for (var wait = PollMin; ; wait = wait < PollMax ? wait * 2 : PollMax)
        {
            if (TcpProgress.Read(socket) is not { IsClosed: false } now)
            {
                return false;
            }

            if (now.Acknowledged >= written.Queued)
            {
                return true;
            }

            await Task.Delay(wait, time);
        }
    }
}
