using System.Text;
using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports;
using PushQueue.Transports.Rest;

namespace PushQueue.Dialects.RestMq;

/// <summary>
/// <c>POST /xmlrpc</c>: <c>set(queue, value)</c> and <c>get(queue)</c>. An error is a fault, as the protocol has it.
/// </summary>
internal sealed class RestMqXmlRpc(IMessageBroker broker, AccessControl access)
{
    private const int EmptyQueue = 1;
    private const int Refused = 2;
    private const int Forbidden = 3;
    private const int UnknownMethod = -32601;
    private const int WrongParameters = -32602;

    public async Task CallAsync(HttpContext context)
    {
        // Each byte of a text may have been written as a character reference.
        var (body, problem) = await RequestBody.ReadAsync(
            context, (int)Math.Min((6L * broker.MessageBytesMax) + 64 * 1024, int.MaxValue), ProblemType.MessageTooLarge);
        if (problem is not null)
        {
            await RestMqAnswers.RefuseAsync(context, problem);
            return;
        }

        if (XmlRpcCall.Read(body, out var whyNot) is not { } call)
        {
            await RestMqAnswers.XmlAsync(context, XmlRpcAnswer.Fault(XmlRpcCall.ParseError, whyNot!));
            return;
        }

        var caller = access.CallerOf(context);
        await RestMqAnswers.XmlAsync(context, (call.Method, call.Parameters.Count) switch
        {
            ("set", 2) => await SetAsync(caller, call.Parameters[0], call.Parameters[1]),
            ("get", 1) => await GetAsync(context, caller, call.Parameters[0]),
            ("set", _) => XmlRpcAnswer.Fault(WrongParameters, "set takes two parameters: queue and value."),
            ("get", _) => XmlRpcAnswer.Fault(WrongParameters, "get takes one parameter: queue."),
            _ => XmlRpcAnswer.Fault(UnknownMethod, $"There is no method '{OptionValues.Shown(call.Method)}'; there are set and get."),
        });
    }

    private async Task<byte[]> SetAsync(Caller caller, XmlRpcValue name, XmlRpcValue value)
    {
        if (!QueueName.TryParse(name.Text, out var queue, out var whyNot))
        {
            return XmlRpcAnswer.Fault(WrongParameters, whyNot);
        }

        if (caller.WhyNot(Permissions.Put, queue) is { } refusal)
        {
            return XmlRpcAnswer.Fault(Forbidden, refusal.Sentence);
        }

        var result = await broker.PutAsync(queue, value.Binary is { } bytes
            ? new NewMessage { Body = bytes, ContentType = ContentTypes.Binary }
            : new NewMessage { Body = Encoding.UTF8.GetBytes(value.Text), ContentType = ContentTypes.Text });
        return result.Ok
            ? XmlRpcAnswer.Text(RestMqAnswers.Key(queue, result.Value.Id))
            : XmlRpcAnswer.Fault(Refused, ProblemDetailsMapper.ToProblem(result).Sentence);
    }

    private async Task<byte[]> GetAsync(HttpContext context, Caller caller, XmlRpcValue name)
    {
        if (!QueueName.TryParse(name.Text, out var queue, out var whyNot))
        {
            return XmlRpcAnswer.Fault(WrongParameters, whyNot);
        }

        if (caller.WhyNot(Permissions.Take, queue) is { } refusal)
        {
            return XmlRpcAnswer.Fault(Forbidden, refusal.Sentence);
        }

        var result = await broker.TakeAsync(queue, RestMqQueues.EvenWhenStopped(context), context.RequestAborted);
        return !result.Ok ? XmlRpcAnswer.Fault(Refused, ProblemDetailsMapper.ToProblem(result).Sentence)
            : result.Value.Count == 0 ? XmlRpcAnswer.Fault(EmptyQueue, "empty queue")
            : XmlRpcAnswer.Struct(("key", RestMqAnswers.Key(result.Value[0])), ("value", RestMqAnswers.Value(result.Value[0])));
    }
}
