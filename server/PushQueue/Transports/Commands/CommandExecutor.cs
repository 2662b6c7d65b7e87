using PushQueue.Queues;

namespace PushQueue.Transports.Commands;

/// <summary>
/// The JSON protocol: reads a command, calls the broker once, writes the answer. It holds no rule about queues; what goes wrong is an
/// answer, never an exception.
/// </summary>
internal sealed class CommandExecutor(IMessageBroker broker, PutCommands puts, LeaseCommands leases, SettingsCommands settings) : ICommandExecutor
{
    private const string Words = "put, look, take, lease, cancel, ack, release, touch, policy, control";

    public async ValueTask<ReadOnlyMemory<byte>> ExecuteAsync(ReadOnlyMemory<byte> jsonFrame, CancellationToken cancellationToken) =>
        (await RunAsync(jsonFrame, cancellationToken)).Json;

    public async ValueTask<CommandResult> RunAsync(ReadOnlyMemory<byte> jsonFrame, CancellationToken cancellationToken)
    {
        var (frame, broken) = CommandFrame.Read(jsonFrame);
        if (Problem.First(broken, ReadQueue(frame, out var queue)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        return frame.Command switch
        {
            "put" or "add" => await puts.PutAsync(frame, queue, cancellationToken),
            "look" or "get" => await LookAsync(frame, queue),
            "take" => await TakeAsync(frame, queue, cancellationToken),
            "lease" => await leases.LeaseAsync(frame, queue, cancellationToken),
            "cancel" or "del" => await CancelAsync(frame, queue),
            "ack" => await leases.AckAsync(frame, queue),
            "release" => await leases.ReleaseAsync(frame, queue),
            "touch" => await leases.TouchAsync(frame, queue),
            "policy" => await settings.PolicyAsync(frame, queue),
            "control" => await settings.ControlAsync(frame, queue),
            _ => CommandAnswer.Error(frame, UnknownCommand(frame.Command)),
        };
    }

    /// <summary>The message of an id, or the next one; both stay where they are.</summary>
    private async ValueTask<CommandResult> LookAsync(CommandFrame frame, QueueName queue)
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

    private async ValueTask<CommandResult> TakeAsync(CommandFrame frame, QueueName queue, CancellationToken cancellationToken)
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

    private async ValueTask<CommandResult> CancelAsync(CommandFrame frame, QueueName queue)
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
