using System.Diagnostics;

namespace PushQueue.Queues;

/// <summary>
/// Spans of what happens to a message: its put, each delivery, then ack or release, all in the trace of the put and linked to the
/// requests that caused them. A message carries its put's trace context with it; one without a context makes no span when it is given out.
/// Costs a field's read while nobody listens.
/// </summary>
internal static class MessageTracing
{
    public const string SourceName = "PushQueue";

    /// <summary>A W3C traceparent of version 00.</summary>
    private const int TraceParentLength = 55;

    private static readonly ActivitySource Source = new(SourceName);
    private static readonly LeaseTraces Leases = new();

    public static bool IsOn => Source.HasListeners();

    /// <summary>A client's trace context where it is one; null else, as the standard asks.</summary>
    public static string? Accept(string? traceParent) =>
        traceParent is { Length: TraceParentLength } && ActivityContext.TryParse(traceParent, traceState: null, out _) ? traceParent : null;

    /// <summary>Begins the span of a put and has the message carry it; null where it is not recorded.</summary>
    public static Activity? StartPut(QueueName queue, NewMessage message)
    {
        // The request that carries the message is the parent if it belongs to the same trace, or the message to none; a message of another
        // (a line of a batch, a command over a socket) stays in its own and is linked to the request.
        var (own, request) = (Parse(message.TraceParent), Activity.Current?.Context);
        var isOfRequest = own == default || request?.TraceId == own.TraceId;
        var links = !isOfRequest && request is { } context ? new ActivityLink[] { new(context) } : null;
        var activity = Source.StartActivity("put " + queue.Value, ActivityKind.Producer, isOfRequest ? request ?? own : own, links: links);
        if (activity is not null)
        {
            Describe(activity, queue, "send");
            message.TraceParent = activity.Id;
        }

        return activity;
    }

    /// <summary>The outcome of a put's span.</summary>
    public static void SetOutcome(Activity? activity, in BrokerResult<PutOutcome> result)
    {
        if (result.Ok)
        {
            _ = activity?.SetTag("messaging.message.id", result.Value.Id.ToString());
        }
        else
        {
            _ = activity?.SetStatus(ActivityStatusCode.Error, result.Error.ToString());
        }
    }

    /// <summary>A message was given out.</summary>
    /// <param name="message">The message.</param>
    /// <param name="how"><c>take</c>, <c>lease</c> or <c>push</c>.</param>
    /// <param name="receipt">By which its ack will name it; none where there will be no ack.</param>
    public static void HandedOut(Message message, string how, Receipt receipt = default)
    {
        if (message.TraceParent is null || !IsOn)
        {
            return;
        }

        var request = Activity.Current is { } current ? new ActivityLink[] { new(current.Context) } : null;
        using var activity = Source.StartActivity(
            $"{how} {message.Queue.Value}", ActivityKind.Consumer, Parse(message.TraceParent), links: request);
        if (activity is null)
        {
            return;
        }

        Describe(activity, message.Queue, "receive");
        _ = activity.SetTag("messaging.message.id", message.Id.ToString()).SetTag("pushqueue.attempt", message.Attempt);
        if (!receipt.IsNone)
        {
            Leases.Add(receipt, activity.Context);
        }
    }

    /// <summary>Leases ended by the worker's word.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="keys">Which.</param>
    /// <param name="results">One for each.</param>
    /// <param name="how"><c>ack</c> or <c>release</c>.</param>
    public static void Settled(QueueName queue, IReadOnlyList<LeaseKey> keys, IReadOnlyList<QueueError> results, string how)
    {
        for (var i = 0; i < keys.Count; i++)
        {
            if (Leases.Remove(keys[i].Receipt) is not { } given)
            {
                continue;
            }

            var links = Activity.Current is { } current ? new ActivityLink[] { new(given), new(current.Context) } : [new(given)];
            using var activity = Source.StartActivity($"{how} {queue.Value}", ActivityKind.Client, given, links: links);
            if (activity is null)
            {
                continue;
            }

            Describe(activity, queue, "settle");
            _ = activity.SetTag("messaging.message.id", keys[i].Id.ToString());
            if (results[i] != QueueError.None)
            {
                _ = activity.SetStatus(ActivityStatusCode.Error, results[i].ToString());
            }
        }
    }

    private static ActivityContext Parse(string? traceParent) =>
        ActivityContext.TryParse(traceParent, traceState: null, isRemote: true, out var context) ? context : default;

    private static void Describe(Activity activity, QueueName queue, string operation) =>
        activity.SetTag("messaging.system", "pushqueue")
            .SetTag("messaging.destination.name", queue.Value)
            .SetTag("messaging.operation.type", operation);
}
