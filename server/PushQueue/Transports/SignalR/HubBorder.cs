using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;
using PushQueue.Queues;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// The border of the hub: exceptions of a method are logged here and answered without details. A mistake of a client is answered and
/// no log entry; SignalR's own entry for it is switched off by the host, for any client could fill the log with it.
/// </summary>
internal sealed class HubBorder(ILogger<HubBorder> logger) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(HubInvocationContext call, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(call);
        }
        catch (StoreUnavailableException)
        {
            throw HubCommands.Failure(new Problem(ProblemType.StoreUnavailable));
        }
        catch (Exception e) when (e is not (HubException or OperationCanceledException))
        {
            Log.MethodFailed(logger, e, call.HubMethodName);
            throw HubCommands.Failure(new Problem(ProblemType.InternalError));
        }
    }
}
