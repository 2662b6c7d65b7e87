using PushQueue.Queues;
using PushQueue.Security;

namespace PushQueue.Transports.Commands;

/// <summary>
/// The JSON protocol: reads a command, calls the broker once, writes the answer. It holds no rule about queues; what goes wrong is an
/// answer, never an exception.
/// </summary>
internal sealed class CommandExecutor : ICommandExecutor
{
    private const Permissions Cancels = Permissions.Put | Permissions.Take | Permissions.Manage;
    private const Permissions Looks = Permissions.Take | Permissions.Listen | Permissions.Manage;
    private const Permissions Settles = Permissions.Take | Permissions.Listen;

    private readonly IMessageBroker _broker;
    private readonly WaitingRights _waiting;
    private readonly Dictionary<string, Command> _commands;

    public CommandExecutor(IMessageBroker broker, PutCommands puts, LeaseCommands leases, SettingsCommands settings, WaitingRights waiting)
    {
        _broker = broker;
        _waiting = waiting;
        _commands = new Dictionary<string, Command>(StringComparer.Ordinal)
        {
            ["put"] = new(Permissions.Put, puts.PutAsync),
            ["look"] = new(Looks, (frame, queue, _) => LookAsync(frame, queue)),
            ["take"] = new(Permissions.Take, TakeAsync),
            ["lease"] = new(Permissions.Take, leases.LeaseAsync),
            ["cancel"] = new(Cancels, (frame, queue, _) => CancelAsync(frame, queue)),
            ["purge"] = new(Permissions.Manage, (frame, queue, _) => PurgeAsync(frame, queue)),
            ["ack"] = new(Settles, (frame, queue, _) => leases.AckAsync(frame, queue)),
            ["release"] = new(Settles, (frame, queue, _) => leases.ReleaseAsync(frame, queue)),
            ["touch"] = new(Settles, (frame, queue, _) => leases.TouchAsync(frame, queue)),
            ["policy"] = new(Permissions.Any, (frame, queue, _) => settings.PolicyAsync(frame, queue)) { SettingField = "policy" },
            ["control"] = new(Permissions.Any, (frame, queue, _) => settings.ControlAsync(frame, queue)) { SettingField = "status" },
        };
        Words = string.Join(", ", _commands.Keys);
        _commands["add"] = _commands["put"];
        _commands["get"] = _commands["look"];
        _commands["del"] = _commands["cancel"];
    }

    /// <summary>The commands by their own names.</summary>
    internal string Words { get; }

    public async ValueTask<CommandResult> ExecuteAsync(CommandFrame frame, CancellationToken cancellationToken)
    {
        var caller = frame.Caller;
        if (Problem.First(frame.Problem, ReadQueue(frame, out var queue)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        if (!_commands.TryGetValue(frame.Command, out var command))
        {
            return CommandAnswer.Error(frame, UnknownCommand(frame.Command));
        }

        if (caller.WhyNot(command.Needs(frame), queue) is { } refusal)
        {
            return CommandAnswer.Error(frame, refusal);
        }

        // A put that waits for its ack stands, but its end is told only to a caller that still has the right.
        using var right = frame.Has("wait") || frame.Has("waitForAck")
            ? _waiting.Begin(caller, command.AnyOf, queue, cancellationToken)
            : null;
        try
        {
            return await command.RunAsync(frame, queue, right?.Token ?? cancellationToken);
        }
        catch (OperationCanceledException) when (right is { IsLost: true })
        {
            return CommandAnswer.Error(frame, right.WhyLost());
        }
        catch (StoreUnavailableException)
        {
            return CommandAnswer.Error(frame, new Problem(ProblemType.StoreUnavailable));
        }
    }

    /// <summary>The message of an id, or the next one; both stay where they are.</summary>
    private async ValueTask<CommandResult> LookAsync(CommandFrame frame, QueueName queue)
    {
        if (Problem.First(CommandOptions.Only(frame, "id"), CommandOptions.Id(frame, required: false, out var id)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var message = id is { } given ? await _broker.FindAsync(queue, given) : await _broker.LookAsync(queue);
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

        var result = await _broker.TakeAsync(queue, request with { Pending = frame.Pending }, cancellationToken);
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

        var result = await _broker.CancelAsync(queue, id!.Value);
        if (!result.Ok)
        {
            return CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
        }

        return result.Value
            ? CommandAnswer.OfMessage(frame, queue, id.Value)
            : CommandAnswer.Error(frame, CommandOptions.NoMessage);
    }

    private async ValueTask<CommandResult> PurgeAsync(CommandFrame frame, QueueName queue)
    {
        if (CommandOptions.Only(frame) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var result = await _broker.PurgeAsync(queue);
        if (!result.Ok)
        {
            return CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
        }

        if (result.Value is not { } purged)
        {
            return CommandAnswer.Error(frame, Problem.NotFound("There is no such queue; its first put makes it."));
        }

        var json = CommandAnswer.Begin(frame);
        QueueJson.WritePurged(json.Writer, queue, purged);
        return CommandAnswer.End(json);
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

    private Problem UnknownCommand(string word) => word switch
    {
        "" => new Problem(ProblemType.BadCommand, $"The field 'cmd' is missing; the commands are: {Words}."),
        "subscribe" or "unsubscribe" => new Problem(
            ProblemType.Unsupported, "Subscriptions belong to a connection; send this command over /ws, or use /sse, /c or /hub."),
        _ => new Problem(ProblemType.BadCommand, $"There is no command '{OptionValues.Shown(word)}'; the commands are: {Words}."),
    };

    /// <param name="AnyOf">The permissions of which one is needed.</param>
    /// <param name="RunAsync">Does it.</param>
    private sealed record Command(Permissions AnyOf, Func<CommandFrame, QueueName, CancellationToken, ValueTask<CommandResult>> RunAsync)
    {
        /// <summary>The field with which the command no longer tells a setting but sets it.</summary>
        public string? SettingField { get; init; }

        public Permissions Needs(CommandFrame frame) => SettingField is not null && frame.Has(SettingField) ? Permissions.Manage : AnyOf;
    }
}
