using System.Text.Json;
using PushQueue.Queues;

namespace PushQueue.Transports.Commands;

/// <summary>put: one message (value), or several that are stored all or none (values).</summary>
internal sealed class PutCommands(IMessageBroker broker, QueuesOptions limits, LimitHits hits, TimeProvider time)
{
    private const string OwnNames = "queue, value, values, contentType, encoding, ";

    private readonly string _durability = broker.Durability.ToString();

    public async ValueTask<CommandResult> PutAsync(CommandFrame frame, QueueName queue, CancellationToken cancellationToken)
    {
        if (ReadOptions(frame, out var options, out var wait) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        if (frame.Has("values"))
        {
            return wait is not null
                ? CommandAnswer.Error(frame, Problem.BadOption("With 'values' there is no 'waitForAck'; put the messages one by one to wait for them."))
                : await PutManyAsync(frame, queue, options);
        }

        if (PutBody.Read(frame, out var body, out var contentType) is { } wrong)
        {
            return CommandAnswer.Error(frame, wrong);
        }

        if (wait is { } patience)
        {
            return await PutAndWaitAsync(frame, queue, options.ToMessage(body, contentType), patience, cancellationToken);
        }

        var result = await broker.PutAsync(queue, options.ToMessage(body, contentType));
        if (!result.Ok)
        {
            return CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
        }

        var json = CommandAnswer.Begin(frame);
        PutJson.Write(json.Writer, queue, result.Value, _durability);
        return CommandAnswer.End(json);
    }

    private async ValueTask<CommandResult> PutAndWaitAsync(
        CommandFrame frame, QueueName queue, NewMessage message, TimeSpan wait, CancellationToken cancellationToken)
    {
        var result = await broker.PutAndWaitAsync(queue, message, wait, cancellationToken);
        if (!result.Ok)
        {
            return CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
        }

        if (PutJson.WhyNotAcked(queue, result.Value) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var json = CommandAnswer.Begin(frame);
        PutJson.Write(json.Writer, queue, result.Value, _durability);
        return CommandAnswer.End(json);
    }

    private async ValueTask<CommandResult> PutManyAsync(CommandFrame frame, QueueName queue, PutOptions options)
    {
        if (ReadMany(frame, options, out var messages) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        // One was counted with the command.
        frame.Caller.Spend(Math.Max(0, messages.Count - 1), 0);
        var result = await broker.PutManyAsync(queue, messages);
        if (!result.Ok)
        {
            return CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
        }

        var json = CommandAnswer.Begin(frame);
        PutJson.WriteMany(json.Writer, queue, result.Value, _durability);
        return CommandAnswer.End(json);
    }

    private Problem? ReadOptions(CommandFrame frame, out PutOptions options, out TimeSpan? wait)
    {
        options = default;
        wait = null;
        foreach (var name in frame.Names)
        {
            if (name is "queue" or "value" or "values" or "body" or "contentType" or "encoding")
            {
                continue;
            }

            if (frame.Text(name, required: true, out var value) is { } problem)
            {
                return problem;
            }

            var wrong = name is "waitForAck"
                ? OptionValues.WaitForAck(value!, out wait, out var known)
                : options.Set(name, value!, time, out known);
            if (!known || wrong is not null)
            {
                return wrong ?? OptionValues.Unknown(name, OwnNames + PutOptions.Names + ", waitForAck");
            }
        }

        options.TraceParent ??= frame.TraceParent;
        return null;
    }

    private Problem? ReadMany(CommandFrame frame, PutOptions options, out List<NewMessage> messages)
    {
        messages = [];
        if (options.Id is not null || options.UniqueKey is not null || frame.Has("value") || frame.Has("body") || frame.Has("encoding"))
        {
            return Problem.BadOption("With 'values' there is no 'value', 'body', 'encoding', 'id' or 'unique'; they belong to one message.");
        }

        if (frame.Text("contentType", required: false, out var contentType) is { } problem
            || (contentType is not null && (problem = ContentTypes.Check(contentType, out contentType)) is not null))
        {
            return problem;
        }

        var json = frame.Raw("values").Span;
        var reader = new Utf8JsonReader(json, JsonBody.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return Problem.BadOption("The field 'values' must be a list.");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (messages.Count == limits.BatchMessagesMax)
            {
                hits.Count("batch");
                return new Problem(ProblemType.BatchTooLarge, $"A batch may hold {limits.BatchMessagesMax} messages; send the rest in another one. Nothing was stored.");
            }

            var type = contentType;
            if (BodyField.At(ref reader).Read(json, ref type, out var body) is { } wrong)
            {
                return wrong;
            }

            messages.Add(options.ToMessage(body, type!));
        }

        return null;
    }
}
