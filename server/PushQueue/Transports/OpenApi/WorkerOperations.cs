using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>The operations of the tag workers.</summary>
internal static class WorkerOperations
{
    public static readonly ApiOperation ListWorkers = new("listWorkers", "workers", "The workers that gave their name")
    {
        Answers = [ApiAnswer.Json<WorkersContract>()],
    };

    public static readonly ApiOperation RegisterWorker = new("registerWorker", "workers", "A worker says that it is there")
    {
        Parameters = [ApiParameters.WorkerOption],
    };

    public static readonly ApiOperation ForgetWorker = new("forgetWorker", "workers", "Forgets a worker")
    {
        Parameters = [ApiParameters.WorkerOption],
    };
}
