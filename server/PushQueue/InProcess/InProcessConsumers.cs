using PushQueue.Client;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Transports.Operations;
using PushQueue.Transports.Streaming;

namespace PushQueue.InProcess;

/// <summary>Lets enumerations of this process join queues as consumers.</summary>
internal sealed class InProcessConsumers(
    OperationExecutor operations, Dispatcher dispatcher, ConsumerConnections connections, QueuePolicies policies)
{
    public async Task<InProcessSubscription> JoinAsync(
        QueueName queue, ConsumeOptions options, string? start, Action<string> onCancelled)
    {
        var reader = Read(options, start);
        if (reader.Error is { } error)
        {
            throw Refusals.Of(Transports.Problem.BadOption(error));
        }

        Refusals.Throw(StreamAdmission.WhyNot(connections));
        Refusals.Throw(await Refusals.GuardAsync(policies.PrepareAsync(queue, reader.Options)));
        var connection = new InProcessConnection(operations, queue, onCancelled);
        var session = connections.Begin(connection);
        try
        {
            var consumer = await Refusals.GuardAsync(session.SubscribeAsync(queue, InProcessFormat.Instance, reader.Options));
            var cursor = await Refusals.GuardAsync(Dispatcher.CursorAsync(consumer));
            session.Buffer.Open();
            return new InProcessSubscription(dispatcher, connection, session, consumer, cursor?.ToString() ?? start);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private static ConsumerOptionsReader Read(ConsumeOptions options, string? start)
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

        var reader = new ConsumerOptionsReader();
        while (given.Next(out var name, out var value))
        {
            reader.Read(name.ToString(), value);
        }

        return reader;
    }
}
