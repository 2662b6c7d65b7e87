using PushQueue.Queues;

namespace PushQueue.Transports;

/// <summary>The one place where an error of the core becomes a problem of the native API.</summary>
internal static class ProblemDetailsMapper
{
    public static Problem ToProblem(BrokerFailure failure) => new(TypeOf(failure.Error), failure.Detail);

    public static Problem ToProblem<T>(BrokerResult<T> result) => ToProblem(result.Failure);

    public static ProblemType TypeOf(QueueError error) => error switch
    {
        QueueError.QueueStopped => ProblemType.QueueStopped,
        QueueError.QueueFull => ProblemType.QueueFull,
        QueueError.UniqueKeyTaken => ProblemType.UniqueKeyTaken,
        QueueError.MessageTooLarge => ProblemType.MessageTooLarge,
        QueueError.BatchTooLarge => ProblemType.BatchTooLarge,
        QueueError.BadOption => ProblemType.BadOption,
        QueueError.BadQueueName => ProblemType.BadQueueName,
        QueueError.BadBody => ProblemType.BadJson,
        QueueError.NotFound => ProblemType.NotFound,
        QueueError.LeaseLost => ProblemType.LeaseLost,
        QueueError.TooManyWaiting => ProblemType.TooManyWaiting,
        QueueError.TooManyQueues => ProblemType.TooManyQueues,
        QueueError.TooManySubscriptions => ProblemType.TooManySubscriptions,
        QueueError.ServerFull => ProblemType.ServerFull,
        QueueError.DiskFull => ProblemType.DiskFull,
        QueueError.StoreUnavailable => ProblemType.StoreUnavailable,
        QueueError.ShuttingDown => ProblemType.ShuttingDown,
        _ => ProblemType.InternalError,
    };
}
