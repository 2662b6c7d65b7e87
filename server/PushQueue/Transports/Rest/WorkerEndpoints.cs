using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;
using PushQueue.Transports.OpenApi;

namespace PushQueue.Transports.Rest;

/// <summary>The workers with a name: list them and the consumers, say that one is there, forget one.</summary>
internal sealed class WorkerEndpoints(WorkerRegistry workers, ClusterAnswers cluster)
{
    public void Map(RestRoutes routes)
    {
        routes.Map("/w", ("GET", AccessRule.Node(Permissions.Manage), ListAsync, WorkerOperations.ListWorkers));
        routes.Map("/w/{queue}", ("POST", AccessRule.Settle, RegisterAsync, WorkerOperations.RegisterWorker),
            ("DELETE", AccessRule.Settle, ForgetAsync, WorkerOperations.ForgetWorker));
    }

    private async ValueTask<Problem?> ListAsync(HttpContext context)
    {
        if (QueryOptions.None(context.Request) is { } problem)
        {
            return problem;
        }

        var all = new WorkersContract(await cluster.WorkersAsync(), await cluster.ConsumersAsync(queue: null));
        return await RestAnswers.ContractAsync(context, all, ContractContext.Default.WorkersContract);
    }

    private ValueTask<Problem?> RegisterAsync(HttpContext context)
    {
        var problem = Problem.First(RawPath.Queue(context, 0, out var queue), ReadWorker(context.Request, out var worker));
        if (problem is null)
        {
            workers.Seen(queue, worker);
            RestAnswers.NoContent(context);
        }

        return new(problem);
    }

    private async ValueTask<Problem?> ForgetAsync(HttpContext context)
    {
        var problem = Problem.First(RawPath.Queue(context, 0, out var queue), ReadWorker(context.Request, out var worker));
        if (problem is null)
        {
            problem = await cluster.ForgetAsync(queue, worker)
                ? RestAnswers.NoContent(context)
                : Problem.NotFound("No worker of that name has been seen at this queue.");
        }

        return problem;
    }

    private static Problem? ReadWorker(HttpRequest request, out string worker)
    {
        worker = "";
        var query = new QueryOptions(request);
        while (query.Next(out var name, out var value))
        {
            if (name is not "worker")
            {
                return OptionValues.Unknown(name, "worker");
            }

            if (OptionValues.Text("worker", value, out worker) is { } problem)
            {
                return problem;
            }
        }

        return query.Problem ?? (worker.Length == 0 ? Problem.BadOption("The option 'worker' is missing; give the worker's name.") : null);
    }
}
