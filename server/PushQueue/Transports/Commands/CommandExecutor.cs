using PushQueue.Queues;

namespace PushQueue.Transports.Commands;

/// <summary>
/// The JSON protocol: reads a command, calls the broker once, writes the answer. It holds no rule about queues; what goes wrong is an
/// answer, never an exception.
/// </summary>
internal sealed class CommandExecutor(IMessageBroker broker, LeaseCommands leases, TimeProvider time) : ICommandExecutor
{
    private const string Words = "put, look, take, lease, cancel, ack, release, touch, policy, control";

    private readonly string _durability = broker.Durability.ToString();

    public async ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(ReadOnlyMemory<byte> jsonFrame, CancellationToken cancellationToken)
    {
        var (frame, broken) = CommandFrame.Read(jsonFrame);
        if (Problem.First(broken, ReadQueue(frame, out var queue)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        return frame.Command switch
        {
            "put" or "add" => await PutAsync(frame, queue),
            "look" or "get" => await LookAsync(frame, queue),
            "take" => await TakeAsync(frame, queue, cancellationToken),
            "lease" => await leases.LeaseAsync(frame, queue, cancellationToken),
            "cancel" or "del" => await CancelAsync(frame, queue),
            "ack" => await leases.AckAsync(frame, queue),
            "release" => await leases.ReleaseAsync(frame, queue),
            "touch" => await leases.TouchAsync(frame, queue),
            "policy" => await PolicyAsync(frame, queue),
            "control" => await ControlAsync(frame, queue),
            _ => CommandAnswer.Error(frame, UnknownCommand(frame.Command)),
        };
    }

    private async ValueTask<byte[]> PutAsync(CommandFrame frame, QueueName queue)
    {
        var options = default(PutOptions);
        foreach (var name in frame.Names)
        {
            if (name is "queue" or "value" or "body" or "contentType" or "encoding")
            {
                continue;
            }

            if (SetOption(frame, name, ref options) is { } problem)
            {
                return CommandAnswer.Error(frame, problem);
            }
        }

        if (PutBody.Read(frame, out var body, out var contentType) is { } wrong)
        {
            return CommandAnswer.Error(frame, wrong);
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

    /// <summary>The message of an id, or the next one; both stay where they are.</summary>
    private async ValueTask<byte[]> LookAsync(CommandFrame frame, QueueName queue)
    {
        if (Problem.First(CommandOptions.Only(frame, "id"), CommandOptions.Id(frame, required: false, out var id)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var message = id is { } given ? await broker.FindAsync(queue, given) : await broker.LookAsync(queue);
        if (message is null && id is not null)
        {
            return CommandAnswer.Error(frame, CommandOptions.NoMessage);
        }

        var json = CommandAnswer.Begin(frame);
        json.Writer.WritePropertyName("message"u8);
        if (message is null)
        {
            json.Writer.WriteNullValue();
        }
        else
        {
            MessageJson.WriteLook(json.Writer, message);
        }

        return CommandAnswer.End(json);
    }

    private async ValueTask<byte[]> TakeAsync(CommandFrame frame, QueueName queue, CancellationToken cancellationToken)
    {
        if (CommandOptions.Take(frame, lease: false, out var request) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var result = await broker.TakeAsync(queue, request, cancellationToken);
        if (!result.Ok)
        {
            return CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
        }

        var json = CommandAnswer.Begin(frame);
        CommandOptions.WriteTaken(json.Writer, frame.Has("count"), result.Value, static (writer, m) => MessageJson.WriteEnvelope(writer, m));
        return CommandAnswer.End(json);
    }

    private async ValueTask<byte[]> CancelAsync(CommandFrame frame, QueueName queue)
    {
        if (Problem.First(CommandOptions.Only(frame, "id"), CommandOptions.Id(frame, required: true, out var id)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var result = await broker.CancelAsync(queue, id!.Value);
        if (!result.Ok)
        {
            return CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
        }

        return result.Value
            ? CommandAnswer.OfMessage(frame, queue, id.Value)
            : CommandAnswer.Error(frame, CommandOptions.NoMessage);
    }

    private async ValueTask<byte[]> PolicyAsync(CommandFrame frame, QueueName queue)
    {
        if (Problem.First(CommandOptions.Only(frame, "policy"), frame.Text("policy", required: false, out var text)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        if (text is null)
        {
            return CommandAnswer.OfQueue(frame, queue, "policy", QueueJson.PolicyName((await SettingsAsync(queue)).EffectivePolicy));
        }

        if (QueueJson.Policy(text, out var policy) is { } wrong)
        {
            return CommandAnswer.Error(frame, wrong);
        }

        var result = await broker.UpdateSettingsAsync(queue, new QueueSettingsPatch { Policy = policy });
        return result.Ok
            ? CommandAnswer.OfQueue(frame, queue, "policy", QueueJson.PolicyName(result.Value.EffectivePolicy))
            : CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
    }

    private async ValueTask<byte[]> ControlAsync(CommandFrame frame, QueueName queue)
    {
        if (Problem.First(CommandOptions.Only(frame, "status"), frame.Text("status", required: false, out var text)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        if (text is null)
        {
            return CommandAnswer.OfQueue(frame, queue, "status", QueueJson.StatusName(await SettingsAsync(queue)));
        }

        if (QueueJson.Status(text, out var stopped) is { } wrong)
        {
            return CommandAnswer.Error(frame, wrong);
        }

        var result = await broker.UpdateSettingsAsync(queue, new QueueSettingsPatch { Stopped = stopped });
        return result.Ok
            ? CommandAnswer.OfQueue(frame, queue, "status", QueueJson.StatusName(result.Value))
            : CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
    }

    private async ValueTask<QueueSettings> SettingsAsync(QueueName queue) =>
        (await broker.GetQueueAsync(queue))?.Settings ?? QueueSettings.Default;

    private Problem? SetOption(CommandFrame frame, string name, ref PutOptions options)
    {
        if (frame.Text(name, required: true, out var value) is { } problem)
        {
            return problem;
        }

        problem = options.Set(name, value!, time, out var known);
        return known ? problem : OptionValues.Unknown(name, "queue, value, contentType, encoding, " + PutOptions.Names);
    }

    private static Problem? ReadQueue(CommandFrame frame, out QueueName queue)
    {
        queue = default;
        if (frame.Text("queue", required: true, out var text) is { } problem)
        {
            return problem;
        }

        return QueueName.TryParse(text, out queue, out var whyNot) ? null : new Problem(ProblemType.BadQueueName, whyNot);
    }

    private static Problem UnknownCommand(string word) => word switch
    {
        "" => new Problem(ProblemType.BadCommand, $"The field 'cmd' is missing; the commands are: {Words}."),
        "subscribe" or "unsubscribe" => new Problem(
            ProblemType.Unsupported, "Subscriptions belong to a connection; send this command over /ws, or use /sse, /c or /hub."),
        _ => new Problem(ProblemType.BadCommand, $"There is no command '{OptionValues.Shown(word)}'; the commands are: {Words}."),
    };
}
