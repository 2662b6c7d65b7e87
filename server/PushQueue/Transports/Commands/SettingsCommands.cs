using PushQueue.Queues;

namespace PushQueue.Transports.Commands;

/// <summary>policy and control: tell, or set, the two most used settings.</summary>
internal sealed class SettingsCommands(IMessageBroker broker)
{
    public async ValueTask<CommandResult> PolicyAsync(CommandFrame frame, QueueName queue)
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

    public async ValueTask<CommandResult> ControlAsync(CommandFrame frame, QueueName queue)
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
}
