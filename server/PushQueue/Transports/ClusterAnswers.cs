using System.Globalization;
using System.Text.Json;
using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Queues;

namespace PushQueue.Transports;

#pragma warning disable RS0030 // Only the answers of other nodes are read here, which this class wrote.

/// <summary>
/// What only each node knows (who is connected, which workers came, how it is itself), asked of all nodes and put together. Alone, a node
/// answers from itself at once.
/// </summary>
internal sealed class ClusterAnswers(
    INodes nodes, Dispatcher dispatcher, WorkerRegistry workers, NodeStatistics statistics, NodeMeter meter) : IOtherNodes
{
    private static readonly byte[] Yes = "1"u8.ToArray();
    private static readonly byte[] Nothing = [];

    public void Listen() => nodes.AnswerWith(AnswerAsync);

    /// <summary>The consumers of the other nodes, a JSON list each; all queues where none is named.</summary>
    public ValueTask<IReadOnlyList<byte[]>> ConsumersAsync(QueueName? queue) => AskAsync($"consumers\n{queue?.Value}");

    /// <summary>How many consumers the queues have at the other nodes.</summary>
    public async ValueTask<IReadOnlyDictionary<string, int>> ConsumerCountsAsync()
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var answer in await AskAsync("counts"))
        {
            using var document = JsonDocument.Parse(answer);
            foreach (var queue in document.RootElement.EnumerateObject())
            {
                counts[queue.Name] = counts.GetValueOrDefault(queue.Name) + queue.Value.GetInt32();
            }
        }

        return counts;
    }

    /// <summary>The workers of all nodes, in the order of their names.</summary>
    public async ValueTask<IEnumerable<WorkerInfo>> WorkersAsync()
    {
        var merged = workers.List().ToDictionary(static worker => worker.Name, StringComparer.Ordinal);
        foreach (var answer in await AskAsync("workers"))
        {
            WorkerJson.Merge(merged, answer);
        }

        return merged.Values.OrderBy(static worker => worker.Name, StringComparer.Ordinal);
    }

    /// <summary>The other nodes as /stats shows them, a JSON object each.</summary>
    public ValueTask<IReadOnlyList<byte[]>> NodesAsync() => AskAsync("node");

    /// <summary>The other nodes as /nodes shows them, a JSON object each.</summary>
    public ValueTask<IReadOnlyList<byte[]>> FactsAsync() => AskAsync("facts");

    /// <summary>Ends a consumer's stream, wherever it is. False where it is nowhere.</summary>
    public async ValueTask<bool> DisconnectAsync(QueueName queue, long number) =>
        dispatcher.Disconnect(queue, number)
        || (await AskAsync(string.Create(CultureInfo.InvariantCulture, $"disconnect\n{queue.Value}\n{number}"))).Count > 0;

    /// <summary>A worker leaves a queue, wherever it was seen. False where it was not.</summary>
    public async ValueTask<bool> ForgetAsync(QueueName queue, string worker)
    {
        var here = workers.Forget(queue, worker);
        return (await AskAsync($"forget\n{queue.Value}\n{worker}")).Count > 0 || here;
    }

    private async ValueTask<IReadOnlyList<byte[]>> AskAsync(string question) =>
        await nodes.AskAsync(question) is { Count: > 0 } answers ? [.. answers.Where(static answer => answer.Length > 0)] : [];

    /// <summary>What this node says; nothing to a question that only newer nodes know.</summary>
    private async ValueTask<byte[]> AnswerAsync(string question) => question.Split('\n') switch
    {
        ["consumers", ""] => Consumers(queue: null),
        ["consumers", var queue] => Consumers(QueueName.Parse(queue)),
        ["counts"] => Counts(),
        ["workers"] => Written(writer => WorkerJson.WriteAll(writer, workers.List())),
        ["node"] => Written(writer => NodeJson.WriteSnapshot(writer, statistics.Node())),
        ["facts"] => Facts(await meter.MeasureAsync()),
        ["disconnect", var queue, var number] =>
            dispatcher.Disconnect(QueueName.Parse(queue), long.Parse(number, CultureInfo.InvariantCulture)) ? Yes : Nothing,
        ["forget", var queue, var worker] => workers.Forget(QueueName.Parse(queue), worker) ? Yes : Nothing,
        _ => Nothing,
    };

    private static byte[] Facts(NodeFacts facts) => Written(writer => NodeJson.WriteNode(writer, facts));

    private byte[] Consumers(QueueName? queue) => Written(writer =>
    {
        writer.WriteStartArray();
        ConsumerJson.WriteEach(writer, dispatcher.ListConsumers(queue));
        writer.WriteEndArray();
    });

    private byte[] Counts() => Written(writer =>
    {
        writer.WriteStartObject();
        foreach (var (queue, count) in dispatcher.CountConsumers())
        {
            writer.WriteNumber(queue.Value, count);
        }

        writer.WriteEndObject();
    });

    private static byte[] Written(Action<Utf8JsonWriter> write)
    {
        var json = JsonBuffer.Rent();
        write(json.Writer);
        return json.Finish();
    }
}
