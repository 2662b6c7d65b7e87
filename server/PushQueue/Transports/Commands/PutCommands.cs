using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Commands;

/// <summary>put: one message (value), or several that are stored all or none (values).</summary>
internal sealed class PutCommands(OperationExecutor operations, QueuesOptions limits, LimitHits hits, QueueTime time)
{
    private const string BodyNames = "value, values, body, contentType, encoding, headers";

    private const string Names = "queue, value, values, contentType, encoding, headers, " + PutOptions.NamesOfOne;

    public async ValueTask<CommandResult> PutAsync(CommandFrame frame, QueueName queue, CancellationToken cancellationToken)
    {
        var source = new FrameOptions(frame, BodyNames);
        var problem = PutOptions.Read(ref source, Names, time, out var options, out var wait);
        if (problem is null && frame.Has("headers"))
        {
            problem = MessageHeadersJson.Read(frame.Raw("headers"), out var headers);
            options.Headers = headers;
        }

        if (problem is not null)
        {
            return CommandAnswer.Error(frame, problem);
        }

        options.Headers ??= frame.Headers;
        options.TraceParent ??= frame.TraceParent;
        if (frame.Has("values"))
        {
            return wait is not null
                ? CommandAnswer.Error(
                    frame, Problem.BadOption("'values' cannot be combined with 'waitForAck'; put the messages one by one to wait for "
                        + "them."))
                : await PutManyAsync(frame, queue, options);
        }

        if (PutBody.Read(frame, out var body, out var contentType) is { } wrong)
        {
            return CommandAnswer.Error(frame, wrong);
        }

        var result = await operations.PutAsync(queue, options.ToMessage(body, contentType), wait, frame.Caller, cancellationToken);
        if (result.Problem is { } refusal)
        {
            return CommandAnswer.Error(frame, refusal);
        }

        var json = CommandAnswer.Begin(frame);
        PutJson.Write(json.Writer, queue, result, operations.Durability);
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
        var result = await operations.PutManyAsync(queue, messages);
        if (result.Problem is { } refusal)
        {
            return CommandAnswer.Error(frame, refusal);
        }

        var json = CommandAnswer.Begin(frame);
        PutJson.WriteMany(json.Writer, queue, result.Value!, operations.Durability);
        return CommandAnswer.End(json);
    }

    private Problem? ReadMany(CommandFrame frame, PutOptions options, out List<NewMessage> messages)
    {
        messages = [];
        if (options.Id is not null || options.UniqueKey is not null || frame.Has("value") || frame.Has("body") || frame.Has("encoding"))
        {
            return Problem.BadOption(
                "'values' cannot be combined with 'value', 'body', 'encoding', 'id' or 'unique'; they belong to one message.");
        }

        if (frame.Text("contentType", required: false, out var contentType) is { } problem
            || (contentType is not null && (problem = ContentTypes.Check(contentType, out contentType)) is not null))
        {
            return problem;
        }

        var json = frame.Raw("values");
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
                hits.Count(LimitNames.Batch);
                return new Problem(
                    ProblemType.BatchTooLarge,
                    $"A batch may contain {limits.BatchMessagesMax} messages; send the rest in another batch. Nothing was stored.");
            }

            var type = contentType;
            var field = BodyField.At(ref reader);
            byte[] body;
            if (frame.Bytes?.Contains(messages.Count) == true)
            {
                type ??= ContentTypes.Binary;
                _ = field.ReadEncoded(json, "base64", out body);
            }
            else if (field.Read(json, ref type, out body) is { } wrong)
            {
                return wrong;
            }

            messages.Add(options.ToMessage(body, type!));
        }

        return null;
    }
}
