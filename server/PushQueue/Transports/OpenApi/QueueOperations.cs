using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>The operations of the tag queues.</summary>
internal static class QueueOperations
{
    public static readonly ApiOperation ListQueues = new("listQueues", "queues", "Lists the queues, by name")
    {
        Parameters = [ApiParameters.After, ApiParameters.Limit],
        Answers = [ApiAnswer.Json<QueuePageContract>()],
    };

    public static readonly ApiOperation DeleteQueue = new(
        "deleteQueue", "queues", "Deletes a queue with everything in it, and ends its streams");

    public static readonly ApiOperation PurgeQueue = new(
        "purgeQueue", "queues", "Removes the queue's live messages in any state; settings, history and consumers stay")
    {
        Answers = [ApiAnswer.Json<PurgedContract>()],
    };

    public static readonly ApiOperation ListKeys = new("listKeys", "queues", "The keys of a queue that have live messages")
    {
        Parameters = [ApiParameters.After, ApiParameters.Limit],
        Answers = [ApiAnswer.Json<KeyPageContract>()],
    };

    public static readonly ApiOperation GetSettings = new("getSettings", "queues", "All settings of a queue")
    {
        Answers = [ApiAnswer.Json<SettingsContract>()],
    };

    public static readonly ApiOperation ChangeSettings = new(
        "changeSettings", "queues", "Changes some settings, and creates the queue if it does not exist")
    {
        Body = ApiBody.Json<SettingsPatchContract>(),
        Answers = [ApiAnswer.Json<SettingsContract>()],
    };

    public static readonly ApiOperation ListConsumers = new("listConsumers", "queues", "The consumers of a queue, at all nodes")
    {
        Answers = [ApiAnswer.Json<ConsumersContract>()],
    };

    public static readonly ApiOperation ShowPresence = new("showPresence", "queues", "The connected consumers of a queue, at all nodes")
    {
        Answers = [ApiAnswer.Json<PresenceContract>()],
    };

    public static readonly ApiOperation Disconnect = new("disconnect", "queues", "Disconnects a consumer");

    public static readonly ApiOperation GetPolicy = new("getPolicy", "queues", "The policy of a queue")
    {
        Answers = [ApiAnswer.Json<PolicyContract>()],
    };

    public static readonly ApiOperation SetPolicy = new("setPolicy", "queues", "Sets the policy of a queue")
    {
        Parameters = [new("policy", "Here or in the body.", ApiSchema.Words("broadcast", "roundrobin"))],
        Body = new ApiBody(["application/x-www-form-urlencoded", RestAnswers.JsonType], typeof(PolicyFieldContract)) { Required = false },
        Answers = [ApiAnswer.Json<PolicyContract>()],
    };

    public static readonly ApiOperation GetStatus = new("getStatus", "queues", "Whether a queue is started")
    {
        Answers = [ApiAnswer.Json<StatusContract>()],
    };

    public static readonly ApiOperation SetStatus = new("setStatus", "queues", "Starts or stops a queue")
    {
        Parameters = [new("status", "Here or in the body.", ApiSchema.Words("start", "stop"))],
        Body = new ApiBody(["application/x-www-form-urlencoded", RestAnswers.JsonType], typeof(StatusFieldContract)) { Required = false },
        Answers = [ApiAnswer.Json<StatusContract>()],
    };

    public static readonly ApiOperation QueueCounters = new("queueCounters", "queues", "One queue with its counters")
    {
        Answers = [ApiAnswer.Json<QueueContract>()],
    };
}
