using PushQueue.Client;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Transports.Operations;
using PushQueue.Transports.Streaming;

namespace PushQueue.InProcess;

/// <summary>Lets enumerations of this process join queues as consumers.</summary>
internal sealed class InProcessConsumers(
    OperationExecutor operations,
    Dispatcher dispatcher,
    QueueSets sets,
    ConsumerConnections connections,
    QueuePolicies policies,
    Subscriptions subscriptions,
    TimeProvider time)
{
    public async Task<InProcessSubscription> JoinAsync(
        QueueName queue, ConsumeOptions options, string? start, Action<string> onCancelled)
    {
        var reader = Read(options, start, new ConsumerOptionsReader());
        if (reader.Error is { } error)
        {
            throw Refusals.Of(Transports.Problem.BadOption(error));
        }

        Refusals.Throw(StreamAdmission.WhyNot(connections));
        Refusals.Throw(await Refusals.GuardAsync(policies.PrepareAsync(queue, reader.Options)));
        var connection = new InProcessConnection(operations, onCancelled, time);
        var session = connections.Begin(connection);
        try
        {
            var consumer = await Refusals.GuardAsync(session.SubscribeAsync(queue, InProcessFormat.Instance, reader.Options));
            var cursor = await Refusals.GuardAsync(Dispatcher.CursorAsync(consumer));
            session.Buffer.Open();
            return new InProcessSubscription(connection, session, started => dispatcher.Unsubscribe(consumer, started: started))
            {
                Cursor = cursor?.ToString() ?? start,
            };
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Joins many queues: all that are selected, or none.</summary>
    public async Task<InProcessSubscription> JoinManyAsync(
        Client.Streaming.QueueSelection selection, ConsumeOptions options, string? start, Action<string> onCancelled)
    {
        var reader = Read(options, start, new ConsumerOptionsReader(isOverMany: true));
        var request = ManyRequest.Of(selection.Queues, selection.Match, reader, out var problem);
        Refusals.Throw(problem);
        var connection = new InProcessConnection(operations, onCancelled, time);
        var session = connections.Begin(connection);
        try
        {
            (var opening, problem) = await Refusals.GuardAsync(
                subscriptions.SubscribeManyAsync(session.Buffer, request!, InProcessFormat.Many, InProcessFormat.Many));
            Refusals.Throw(problem);
            session.Buffer.Open();
            return new InProcessSubscription(connection, session, started => sets.Close(opening!.Set!, started))
            {
                Cursor = opening!.Cursor,
                Queues = Array.ConvertAll(opening.Queues, static queue => queue.Value),
            };
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private static ConsumerOptionsReader Read(ConsumeOptions options, string? start, ConsumerOptionsReader reader)
    {
        var given = default(GivenOptions);
        given.Add("from", start);
        given.Add("prefetch", options.Prefetch);
        given.Add("overflow", options.Overflow);
        given.Add("policy", options.Policy);
        given.Add("who", options.Who);
        foreach (var condition in options.Where ?? [])
        {
            given.Add("where", condition);
        }

        if (options.Ack == Client.AckMode.Manual)
        {
            given.Add("ack", "manual");
            given.Add("ttr", options.TimeToRun);
            given.Add("worker", options.Worker);
        }

        while (given.Next(out var name, out var value))
        {
            reader.Read(name.ToString(), value);
        }

        return reader;
    }
}
