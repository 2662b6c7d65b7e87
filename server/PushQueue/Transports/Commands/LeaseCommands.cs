using PushQueue.Queues;

namespace PushQueue.Transports.Commands;

/// <summary>The commands about leases. ack, release and touch take one lease (id, receipt) or many (items).</summary>
internal sealed class LeaseCommands(IMessageBroker broker)
{
    public async ValueTask<CommandResult> LeaseAsync(CommandFrame frame, QueueName queue, CancellationToken cancellationToken)
    {
        if (CommandOptions.Take(frame, lease: true, out var request) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        var lease = request with { Pending = frame.Pending, NewQueuePolicy = DeliveryPolicy.RoundRobin };
        var result = await broker.LeaseAsync(queue, lease, cancellationToken);
        if (!result.Ok)
        {
            return CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(result));
        }

        var json = CommandAnswer.Begin(frame);
        CommandOptions.WriteTaken(json.Writer, frame.Has("count"), result.Value, static (writer, lease) => MessageJson.WriteEnvelope(writer, lease));
        return CommandAnswer.End(json);
    }

    public async ValueTask<CommandResult> AckAsync(CommandFrame frame, QueueName queue)
    {
        if (Problem.First(CommandOptions.Only(frame, "id", "receipt", "items"), ReadKeys(frame, out var keys)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        return Answer(frame, queue, keys, await broker.AckAsync(queue, keys));
    }

    public async ValueTask<CommandResult> ReleaseAsync(CommandFrame frame, QueueName queue)
    {
        var problem = Problem.First(
            CommandOptions.Only(frame, "id", "receipt", "items", "delay", "backoff", "error", "worker", "unstarted"), ReadKeys(frame, out var keys));
        var options = default(LeaseOptions);
        if ((problem ?? ReadOptions(frame, ref options, "delay", "backoff", "error", "worker", "unstarted")) is { } wrong)
        {
            return CommandAnswer.Error(frame, wrong);
        }

        return Answer(frame, queue, keys, await broker.ReleaseAsync(queue, keys, options.ToRelease()));
    }

    public async ValueTask<CommandResult> TouchAsync(CommandFrame frame, QueueName queue)
    {
        var problem = Problem.First(CommandOptions.Only(frame, "id", "receipt", "items", "ttr"), ReadKeys(frame, out var keys));
        var options = default(LeaseOptions);
        if ((problem ?? ReadOptions(frame, ref options, "ttr")) is { } wrong)
        {
            return CommandAnswer.Error(frame, wrong);
        }

        var timeToRun = options.TimeToRun ?? (await broker.GetQueueAsync(queue))?.Settings.TimeToRun ?? QueueSettings.Default.TimeToRun;
        return Answer(frame, queue, keys, await broker.TouchAsync(queue, keys, timeToRun));
    }

    private static Problem? ReadOptions(CommandFrame frame, ref LeaseOptions options, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (frame.Text(name, required: false, out var value) is { } problem)
            {
                return problem;
            }

            if (value is not null && options.Set(name, value) is { } wrong)
            {
                return wrong;
            }
        }

        return options.Check();
    }

    private static Problem? ReadKeys(CommandFrame frame, out List<LeaseKey> keys)
    {
        if (frame.Has("items"))
        {
            return LeaseKeysJson.Read(frame.Raw("items").Span, out keys);
        }

        keys = [];
        if (Problem.First(
                CommandOptions.Id(frame, required: true, out var id), frame.Text("receipt", required: true, out var text)) is { } problem)
        {
            return problem;
        }

        if (OptionValues.Receipt(text!, out var receipt) is { } wrong)
        {
            return wrong;
        }

        keys.Add(new LeaseKey(id!.Value, receipt));
        return null;
    }

    private static CommandResult Answer(CommandFrame frame, QueueName queue, List<LeaseKey> keys, IReadOnlyList<QueueError> errors)
    {
        if (frame.Has("items"))
        {
            var json = CommandAnswer.Begin(frame);
            json.Writer.WriteString("queue"u8, queue.Value);
            LeaseKeysJson.WriteResults(json.Writer, keys, errors);
            return CommandAnswer.End(json);
        }

        return errors[0] == QueueError.None
            ? CommandAnswer.OfMessage(frame, queue, keys[0].Id)
            : CommandAnswer.Error(frame, ProblemDetailsMapper.ToProblem(new BrokerFailure(errors[0])));
    }
}
