using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>The operations of the tag workers.</summary>
internal static class WorkerOperations
{
    public static readonly ApiOperation ListWorkers = new("listWorkers", "workers", "The workers with a name")
    {
        Answers = [ApiAnswer.Json<WorkersContract>()],
    };

    public static readonly ApiOperation RegisterWorker = new("registerWorker", "workers", "Registers a worker")
    {
        Parameters = [ApiParameters.WorkerOption],
    };

    public static readonly ApiOperation ForgetWorker = new("forgetWorker", "workers", "Forgets a worker")
    {
        Parameters = [ApiParameters.WorkerOption],
    };
}
