using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Commands;

/// <summary>
/// The JSON protocol: reads the fields of a command, has the operation executed, writes the answer. It holds no rule about queues; what
/// goes wrong is an answer, never an exception.
/// </summary>
internal sealed class CommandExecutor : ICommandExecutor
{
    private const string TakeNames = "queue, count, wait, worker, where";

    private readonly OperationExecutor _operations;
    private readonly Dictionary<string, Command> _commands;

    public CommandExecutor(OperationExecutor operations, PutCommands puts, LeaseCommands leases)
    {
        _operations = operations;
        _commands = new Dictionary<string, Command>(StringComparer.Ordinal)
        {
            ["put"] = new(AccessRule.Put, puts.PutAsync),
            ["look"] = new(AccessRule.Look, (frame, queue, _) => LookAsync(frame, queue)),
            ["take"] = new(AccessRule.Take, TakeAsync),
            ["lease"] = new(AccessRule.Take, LeaseAsync),
            ["cancel"] = new(AccessRule.Cancel, (frame, queue, _) => CancelAsync(frame, queue)),
            ["purge"] = new(AccessRule.Manage, (frame, queue, _) => PurgeAsync(frame, queue)),
            ["ack"] = new(AccessRule.Settle, (frame, queue, _) => leases.SettleAsync(Settlement.Ack, frame, queue)),
            ["release"] = new(AccessRule.Settle, (frame, queue, _) => leases.SettleAsync(Settlement.Release, frame, queue)),
            ["touch"] = new(AccessRule.Settle, (frame, queue, _) => leases.SettleAsync(Settlement.Touch, frame, queue)),
            ["policy"] = Setting(QueueSetting.Policy),
            ["control"] = Setting(QueueSetting.Status),
        };
        Words = string.Join(", ", _commands.Keys);
        _commands["add"] = _commands["put"];
        _commands["get"] = _commands["look"];
        _commands["del"] = _commands["cancel"];
    }

    /// <summary>The commands by their own names.</summary>
    internal string Words { get; }

    /// <inheritdoc/>
    public async ValueTask<CommandResult> ExecuteAsync(CommandFrame frame, CancellationToken cancellationToken)
    {
        // A command that belongs to a connection and names no queue.
        var elsewhere = frame.Command == "auth" ? UnknownCommand(frame.Command) : null;
        if (Problem.First(frame.Problem, elsewhere, ReadQueue(frame, out var queue)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        if (!_commands.TryGetValue(frame.Command, out var command))
        {
            return CommandAnswer.Error(frame, UnknownCommand(frame.Command));
        }

        if (frame.Caller.WhyNot(command.Needs(frame), queue) is { } refusal)
        {
            return CommandAnswer.Error(frame, refusal);
        }

        try
        {
            return await command.RunAsync(frame, queue, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            return CommandAnswer.Error(frame, new Problem(ProblemType.StoreUnavailable));
        }
    }

    /// <summary>The message of an id, or the next one; both stay where they are.</summary>
    private async ValueTask<CommandResult> LookAsync(CommandFrame frame, QueueName queue)
    {
        if (Problem.First(frame.Only("id"), frame.Id(required: false, out var id)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var found = id is { } given
            ? await _operations.FindAsync(queue, given)
            : new Outcome<Message>(await _operations.LookAsync(queue), null);
        if (found.Problem is { } missing)
        {
            return CommandAnswer.Error(frame, missing);
        }

        var json = CommandAnswer.Begin(frame);
        json.Writer.WritePropertyName("message"u8);
        if (found.Value is { } message)
        {
            MessageJson.WriteLook(json.Writer, message);
        }
        else
        {
            json.Writer.WriteNullValue();
        }

        return CommandAnswer.End(json);
    }

    private async ValueTask<CommandResult> TakeAsync(CommandFrame frame, QueueName queue, CancellationToken cancellationToken)
    {
        var request = new TakeRequest { Pending = frame.Pending };
        var options = new FrameOptions(frame, own: "");
        if (TakeOptions.Read(ref options, TakeNames, ref request) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var taken = await _operations.TakeAsync(queue, request, frame.Caller, cancellationToken);
        return Answer(frame, taken, static (writer, message) => MessageJson.WriteEnvelope(writer, message));
    }

    private async ValueTask<CommandResult> LeaseAsync(CommandFrame frame, QueueName queue, CancellationToken cancellationToken)
    {
        var request = new TakeRequest { Pending = frame.Pending };
        var options = new FrameOptions(frame, own: "");
        if (TakeOptions.Read(ref options, TakeNames + ", ttr", ref request) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var leased = await _operations.LeaseAsync(queue, request, frame.Caller, cancellationToken);
        return Answer(frame, leased, static (writer, lease) => MessageJson.WriteEnvelope(writer, lease));
    }

    private async ValueTask<CommandResult> CancelAsync(CommandFrame frame, QueueName queue)
    {
        var problem = Problem.First(frame.Only("id"), frame.Id(required: true, out var id))
            ?? await _operations.CancelAsync(queue, id!.Value);
        return problem is null ? CommandAnswer.OfMessage(frame, queue, id!.Value) : CommandAnswer.Error(frame, problem);
    }

    private async ValueTask<CommandResult> PurgeAsync(CommandFrame frame, QueueName queue)
    {
        if (frame.Only() is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var purged = await _operations.PurgeAsync(queue);
        if (purged.Problem is { } refusal)
        {
            return CommandAnswer.Error(frame, refusal);
        }

        var json = CommandAnswer.Begin(frame);
        json.Writer.WriteString("queue"u8, queue.Value);
        json.Writer.WriteNumber("purged"u8, purged.Value);
        return CommandAnswer.End(json);
    }

    /// <summary>A command that reports a setting, or sets it where it has the field of that name.</summary>
    private Command Setting(QueueSetting setting) =>
        new(AccessRule.Stats, (frame, queue, _) => SettingAsync(setting, frame, queue)) { SettingField = setting.Name };

    private async ValueTask<CommandResult> SettingAsync(QueueSetting setting, CommandFrame frame, QueueName queue)
    {
        if (Problem.First(frame.Only(setting.Name), frame.Text(setting.Name, required: false, out var value)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var outcome = await _operations.SettingAsync(setting, queue, value);
        return outcome.Problem is { } refusal
            ? CommandAnswer.Error(frame, refusal)
            : CommandAnswer.OfQueue(frame, queue, setting.Name, outcome.Value!);
    }

    /// <summary>One message, or null; a list where the command asked for a count.</summary>
    private static CommandResult Answer<T>(CommandFrame frame, Outcome<IReadOnlyList<T>> taken, Action<Utf8JsonWriter, T> write)
    {
        if (taken.Problem is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var json = CommandAnswer.Begin(frame);
        if (frame.Has("count"))
        {
            json.Writer.WriteStartArray("messages"u8);
            foreach (var item in taken.Value!)
            {
                write(json.Writer, item);
            }

            json.Writer.WriteEndArray();
            return CommandAnswer.End(json);
        }

        json.Writer.WritePropertyName("message"u8);
        if (taken.Value is [var first, ..])
        {
            write(json.Writer, first);
        }
        else
        {
            json.Writer.WriteNullValue();
        }

        return CommandAnswer.End(json);
    }

    private static Problem? ReadQueue(CommandFrame frame, out QueueName queue)
    {
        queue = default;
        var text = frame.Queue;
        if (text is null && frame.Text("queue", required: true, out text) is { } problem)
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
        "auth" => new Problem(
            ProblemType.Unsupported, "A token is renewed over its connection, /ws or /hub; send a new one with the request instead."),
        _ => new Problem(ProblemType.BadCommand, $"There is no command '{OptionValues.Shown(word)}'; the commands are: {Words}."),
    };

    /// <param name="Rule">The permissions of which one is needed, as for the same operation over REST.</param>
    /// <param name="RunAsync">Does it.</param>
    private sealed record Command(AccessRule Rule, Func<CommandFrame, QueueName, CancellationToken, ValueTask<CommandResult>> RunAsync)
    {
        /// <summary>The field with which the command no longer reports a setting but sets it.</summary>
        public string? SettingField { get; init; }

        public Permissions Needs(CommandFrame frame) =>
            SettingField is not null && frame.Has(SettingField) ? AccessRule.Manage.AnyOf : Rule.AnyOf;
    }
}
