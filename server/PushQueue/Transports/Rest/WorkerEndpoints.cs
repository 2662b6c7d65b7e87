using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Queues;

namespace PushQueue.Transports.Rest;

/// <summary>The workers that gave their name: list them and the consumers of this node, say that one is there, forget one.</summary>
internal sealed class WorkerEndpoints(WorkerRegistry workers, Dispatcher dispatcher)
{
    public void Map(RestRoutes routes)
    {
        routes.Map("/w", ("GET", ListAsync));
        routes.Map("/w/{queue}", ("POST", RegisterAsync), ("DELETE", ForgetAsync));
    }

    private async ValueTask<Problem?> ListAsync(HttpContext context)
    {
        if (QueryOptions.None(context.Request) is { } problem)
        {
            return problem;
        }

        var json = JsonBuffer.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        writer.WriteStartArray("workers"u8);
        foreach (var worker in workers.List())
        {
            writer.WriteStartObject();
            writer.WriteString("worker"u8, worker.Name);
            writer.WriteStartArray("queues"u8);
            foreach (var queue in worker.Queues)
            {
                writer.WriteStringValue(queue.Value);
            }

            writer.WriteEndArray();
            writer.WriteNumber("processed"u8, worker.Processed);
            writer.WriteNumber("failed"u8, worker.Failed);
            MessageJson.WriteTime(writer, "since"u8, worker.Since);
            MessageJson.WriteTime(writer, "lastSeen"u8, worker.LastSeen);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        ConsumerJson.WriteAll(writer, dispatcher.ListConsumers(queue: null));
        writer.WriteEndObject();
        return await RestAnswers.JsonAsync(context, StatusCodes.Status200OK, json.Finish());
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

    private ValueTask<Problem?> ForgetAsync(HttpContext context)
    {
        var problem = Problem.First(RawPath.Queue(context, 0, out var queue), ReadWorker(context.Request, out var worker));
        if (problem is null)
        {
            problem = workers.Forget(queue, worker)
                ? RestAnswers.NoContent(context)
                : Problem.NotFound("No worker of that name has been seen at this queue.");
        }

        return new(problem);
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
