using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.Streaming;

/// <summary>
/// Gives a queue the policy that its first consumer needs, before the consumer joins. Without it, the first message of a queue whose worker
/// was there before it would be broadcast to the worker, and could not be acked.
/// </summary>
internal sealed class QueuePolicies(IMessageBroker broker)
{
    /// <summary>Null when the consumer may join.</summary>
    public async ValueTask<Problem?> PrepareAsync(QueueName queue, ConsumerOptions options)
    {
        if (options.From.Kind == StartKind.LatestPerKey && (await broker.GetQueueAsync(queue))?.Settings is not { HistoryPerKey: true })
        {
            return Problem.BadOption(
                $"Queue '{OptionValues.Shown(queue.Value)}' does not keep the newest message of each key; set history.perKey in its "
                    + "settings before you use from=latest-per-key.");
        }

        if (options.NeededPolicy is not { } policy)
        {
            return null;
        }

        var settings = await broker.UpdateSettingsAsync(queue, QueueSettingsPatch.PolicyOf(policy, SettingsCondition.UndecidedPolicy));
        if (!settings.Ok)
        {
            return ProblemDetailsMapper.ToProblem(settings);
        }

        // Only where the consumer asks for a policy: with ack=manual alone it may listen to a broadcast, as it always could.
        return options.Policy is { } wanted && wanted != settings.Value.EffectivePolicy
            ? new Problem(ProblemType.WrongPolicy, WhyWrong(queue, settings.Value.EffectivePolicy, wanted))
            : null;
    }

    /// <summary>The same for many queues. Nothing has changed where one of them has the other policy.</summary>
    public async ValueTask<Problem?> PrepareAsync(IReadOnlyList<QueueName> queues, ConsumerOptions options)
    {
        if (options.NeededPolicy is null)
        {
            return null;
        }

        foreach (var queue in queues)
        {
            if (options.Policy is { } wanted && await broker.GetQueueAsync(queue) is { } info
                && info.Settings.EffectivePolicy != wanted && (info.Settings.Policy is not null || info.Position.NextOffset > 1))
            {
                return new Problem(ProblemType.WrongPolicy, WhyWrong(queue, info.Settings.EffectivePolicy, wanted));
            }
        }

        foreach (var queue in queues)
        {
            if (await PrepareAsync(queue, options) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static string WhyWrong(QueueName queue, DeliveryPolicy policy, DeliveryPolicy wanted) =>
        $"The policy of queue '{OptionValues.Shown(queue.Value)}' is {QueueWords.Policy(policy)}, and the stream asks for "
            + $"{QueueWords.Policy(wanted)}. "
        + "Change the queue's settings, or leave the option 'policy' out.";
}
