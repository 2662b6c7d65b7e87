using PushQueue.Queues;

namespace PushQueue.Dialects.Presque;

/// <summary>presque's errors, word for word.</summary>
internal static class PresqueAnswers
{
    public static JsonError NoName { get; } = JsonError.NotFound("queue name is missing");

    public static JsonError NoJob { get; } = JsonError.NotFound("no job");

    public static JsonError WrongType { get; } = JsonError.BadRequest("content-type must be set to application/json");

    public static JsonError JobMissing { get; } = JsonError.BadRequest("job is missing");

    public static JsonError NotJobs { get; } = JsonError.BadRequest("jobs should be an array of job");

    public static JsonError ContentMissing { get; } = JsonError.BadRequest("content is missing");

    public static JsonError WorkerMissing { get; } = JsonError.BadRequest("worker_id is missing");

    public static JsonError NotJson(string why) => JsonError.BadRequest($"the body is not JSON: {why}");

    public static JsonError Of(BrokerFailure failure) => failure.Error switch
    {
        QueueError.QueueStopped => JsonError.NotFound("queue is closed"),
        QueueError.UniqueKeyTaken => JsonError.BadRequest("job already exists"),
        _ => JsonError.Of(failure),
    };
}
