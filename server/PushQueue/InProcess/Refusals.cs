using PushQueue.Client;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.InProcess;

/// <summary>Makes the exceptions of <see cref="IPushQueueClient"/> of the problems that the other transports answer with.</summary>
internal static class Refusals
{
    public static PushQueueException Of(Problem problem) => new(problem.Type.Name, problem.Sentence, problem.Type.Status);

    public static void Throw(Problem? problem)
    {
        if (problem is not null)
        {
            throw Of(problem);
        }
    }

    public static T Value<T>(BrokerResult<T> result) => result.Ok ? result.Value : throw Of(ProblemDetailsMapper.ToProblem(result));

    public static QueueName Queue(string queue)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return QueueName.TryParse(queue, out var name, out var whyNot) ? name : throw Of(new Problem(ProblemType.BadQueueName, whyNot));
    }

    public static MessageId Id(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return MessageId.TryParse(id, out var known, out var whyNot) ? known : throw Of(new Problem(ProblemType.BadMessageId, whyNot));
    }

    /// <summary>Awaits an operation whose answer cannot express that the store is out of reach.</summary>
    public static async Task<T> GuardAsync<T>(ValueTask<T> operation)
    {
        try
        {
            return await operation;
        }
        catch (StoreUnavailableException e)
        {
            throw new PushQueueException(ProblemTypes.StoreUnavailable, e.Message, ProblemType.StoreUnavailable.Status, e);
        }
    }
}
