using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Commands;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Rest;

/// <summary>POST /queue: one command of the JSON protocol. The answer is the same as on a socket; an error has its status too.</summary>
internal sealed class CommandEndpoint(CommandExecutor executor, IMessageBroker broker, AccessControl access, LimitHits hits)
{
    // A command around the largest body, whose every byte may have been escaped to six.
    private readonly int _bytesMax = (int)Math.Min((broker.MessageBytesMax * 6L) + (64 * 1024), int.MaxValue / 2);

    public void Map(RestRoutes routes) => routes.Map("/queue", ("POST", AccessRule.AnyKey, ExecuteAsync, CommandOperations.Command));

    private async ValueTask<Problem?> ExecuteAsync(HttpContext context)
    {
        MessageHeaders? headers = null;
        if ((QueryOptions.None(context.Request) ?? MessageHeaderFields.Read(context.Request, out headers)) is { } problem)
        {
            return problem;
        }

        var (body, bodyProblem) = await RequestBody.ReadAsync(context, _bytesMax, ProblemType.MessageTooLarge);
        if (bodyProblem is not null)
        {
            if (bodyProblem.Type == ProblemType.MessageTooLarge)
            {
                hits.Count(LimitNames.MessageBytes);
            }

            return bodyProblem;
        }

        var frame = CommandFrame.Read(
            body, access.CallerOf(context), MessageTracing.Accept(context.Request.Headers.TraceParent), headers);
        frame.Pending = frame.Takes ? new HttpPendingTake(context) : null;
        var result = await executor.ExecuteAsync(frame, context.RequestAborted);
        await RestAnswers.BytesAsync(context, result.Problem?.Type.Status ?? StatusCodes.Status200OK, RestAnswers.JsonType, result.Json);
        return null;
    }
}
