using Microsoft.Extensions.Logging;

namespace PushQueue.Queues;

/// <summary>
/// The border of background work that serves many queues: a fault in one of them is logged with the queue's name and counted, and the work
/// for the others continues. The caller decides when the faulty queue is tried again. The exception of a store out of reach passes, because
/// no queue has that fault.
/// </summary>
internal sealed partial class FaultBorder
{
    private readonly string _where;
    private readonly ILogger _logger;
    private readonly MessageMeter? _meter;

    /// <param name="where">The work, as the metric's label <c>where</c> names it.</param>
    /// <param name="logger">For the operator.</param>
    /// <param name="meter">Counts the faults; null for a store that is used without a host.</param>
    public FaultBorder(string where, ILogger logger, MessageMeter? meter)
    {
        _where = where;
        _logger = logger;
        _meter = meter;

        // The series exists from the start, so that an alert sees its first step.
        meter?.CountInternalErrors(where, 0);
    }

    /// <summary>How long a faulty queue rests before it is tried again: from one second to a minute, doubled with each failure.</summary>
    public static RetryDelay Backoff { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));

    /// <summary>Does the work for one queue. False after a fault.</summary>
    public bool Try<T>(QueueName queue, T state, Action<T> work)
    {
        try
        {
            work(state);
            return true;
        }
        catch (Exception e) when (IsOfOneQueue(e))
        {
            Report(queue, e);
            return false;
        }
    }

    /// <summary>Does the work for one queue. False after a fault.</summary>
    public async Task<bool> TryAsync<T>(QueueName queue, T state, Func<T, Task> work)
    {
        try
        {
            await work(state);
            return true;
        }
        catch (Exception e) when (IsOfOneQueue(e))
        {
            Report(queue, e);
            return false;
        }
    }

    private static bool IsOfOneQueue(Exception exception) => exception is not StoreUnavailableException { IsOfOneQueue: false };

    /// <summary>A fault in the work for one queue.</summary>
    public void Report(QueueName queue, Exception exception)
    {
        _meter?.CountInternalErrors(_where, 1);
        LogFault(_logger, exception, _where, queue.Value);
    }

    /// <summary>A fault that no single queue has.</summary>
    public void Report(Exception exception)
    {
        _meter?.CountInternalErrors(_where, 1);
        LogFault(_logger, exception, _where);
    }

    /// <summary>A fault in work that is tried again soon: logged when it begins, counted each time.</summary>
    public void ReportOnce(QueueName queue, Exception exception, bool isRepeated)
    {
        if (isRepeated)
        {
            _meter?.CountInternalErrors(_where, 1);
        }
        else
        {
            Report(queue, exception);
        }
    }

    [LoggerMessage(700, LogLevel.Error, "Background work ({Where}) failed for queue {Queue}; other queues are not affected")]
    private static partial void LogFault(ILogger logger, Exception exception, string where, string queue);

    [LoggerMessage(701, LogLevel.Error, "Background work ({Where}) failed and is retried")]
    private static partial void LogFault(ILogger logger, Exception exception, string where);
}
