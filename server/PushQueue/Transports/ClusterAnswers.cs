using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PushQueue.Delivery;
using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports;

/// <summary>
/// Facts that only each node knows (who is connected, which workers came, how it is itself), asked of all nodes and put together. Alone, a
/// node answers from itself at once.
/// </summary>
internal sealed class ClusterAnswers(
    INodes nodes, Dispatcher dispatcher, WorkerRegistry workers, NodeStatistics statistics, NodeMeter meter) : IOtherNodes
{
    private static readonly byte[] Yes = "1"u8.ToArray();
    private static readonly byte[] Nothing = [];

    private readonly ConcurrentDictionary<string, Func<string, ValueTask<byte[]>>> _others = new(StringComparer.Ordinal);

    public void Listen()
    {
        nodes.AnswerWith(AnswerAsync);
        dispatcher.InstanceCame = (queue, instance) => _ = EndInstanceElsewhereAsync(queue, instance);
    }

    /// <summary>Answers another question, of two lines: its name, and what is handed to the function.</summary>
    public void AnswerWith(string question, Func<string, ValueTask<byte[]>> answer) => _others[question] = answer;

    /// <summary>The consumers of this node, then those of the others; of all queues where none is named.</summary>
    public async ValueTask<IReadOnlyList<ConsumerContract>> ConsumersAsync(QueueName? queue)
    {
        var elsewhere = await AskAsync($"consumers\n{queue?.Value}");
        return
        [
            .. dispatcher.ListConsumers(queue).Select(ConsumerContract.Of),
            .. elsewhere.SelectMany(static answer => Read(answer, ContractContext.Default.ConsumerContractArray)),
        ];
    }

    /// <summary>How many consumers the queues have at the other nodes.</summary>
    public async ValueTask<IReadOnlyDictionary<string, int>> ConsumerCountsAsync()
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var answer in await AskAsync("counts"))
        {
            foreach (var (queue, count) in Read(answer, ContractContext.Default.DictionaryStringInt32))
            {
                counts[queue] = counts.GetValueOrDefault(queue) + count;
            }
        }

        return counts;
    }

    /// <summary>The workers of all nodes, in the order of their names.</summary>
    public async ValueTask<IReadOnlyList<WorkerContract>> WorkersAsync()
    {
        var merged = workers.List().Select(WorkerContract.Of).ToDictionary(static worker => worker.Worker, StringComparer.Ordinal);
        foreach (var worker in (await AskAsync("workers"))
            .SelectMany(static answer => Read(answer, ContractContext.Default.WorkerContractArray)))
        {
            merged[worker.Worker] = merged.TryGetValue(worker.Worker, out var known) ? known.With(worker) : worker;
        }

        return [.. merged.Values.OrderBy(static worker => worker.Worker, StringComparer.Ordinal)];
    }

    /// <summary>The other nodes as /stats shows them.</summary>
    public async ValueTask<IReadOnlyList<SnapshotContract>> NodesAsync() =>
        [.. (await AskAsync("node")).Select(static answer => Read(answer, ContractContext.Default.SnapshotContract))];

    /// <summary>This node, then the others.</summary>
    public async ValueTask<IReadOnlyList<NodeContract>> FactsAsync()
    {
        var here = NodeContract.Of(await meter.MeasureAsync());
        return [here, .. (await AskAsync("facts")).Select(static answer => Read(answer, ContractContext.Default.NodeContract))];
    }

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

    private async Task EndInstanceElsewhereAsync(QueueName queue, string instance)
    {
        try
        {
            _ = await AskAsync($"instance\n{queue.Value}\n{instance}");
        }
        catch (StoreUnavailableException)
        {
            // The earlier stream then ends when nothing has answered on it for long enough.
        }
    }

    /// <summary>The answers of the other nodes, without empty ones.</summary>
    public async ValueTask<IReadOnlyList<byte[]>> AskAsync(string question) =>
        await nodes.AskAsync(question) is { Count: > 0 } answers ? [.. answers.Where(static answer => answer.Length > 0)] : [];

    /// <summary>The answer of this node; nothing to a question that only newer nodes know.</summary>
    private async ValueTask<byte[]> AnswerAsync(string question) => question.Split('\n') switch
    {
        ["consumers", ""] => Consumers(queue: null),
        ["consumers", var queue] => Consumers(QueueName.Parse(queue)),
        ["counts"] => Counts(),
        ["workers"] => JsonBuffer.Write([.. workers.List().Select(WorkerContract.Of)], ContractContext.Default.WorkerContractArray),
        ["node"] => JsonBuffer.Write(SnapshotContract.Of(statistics.Node()), ContractContext.Default.SnapshotContract),
        ["facts"] => JsonBuffer.Write(NodeContract.Of(await meter.MeasureAsync()), ContractContext.Default.NodeContract),
        ["disconnect", var queue, var number] =>
            dispatcher.Disconnect(QueueName.Parse(queue), long.Parse(number, CultureInfo.InvariantCulture)) ? Yes : Nothing,
        ["instance", var queue, var instance] => dispatcher.EndInstance(QueueName.Parse(queue), instance) ? Yes : Nothing,
        ["forget", var queue, var worker] => workers.Forget(QueueName.Parse(queue), worker) ? Yes : Nothing,
        [var name, var about] when _others.TryGetValue(name, out var answer) => await answer(about),
        _ => Nothing,
    };

    private byte[] Consumers(QueueName? queue) => JsonBuffer.Write(
        [.. dispatcher.ListConsumers(queue).Select(ConsumerContract.Of)], ContractContext.Default.ConsumerContractArray);

    private byte[] Counts() => JsonBuffer.Write(
        dispatcher.CountConsumers().ToDictionary(static count => count.Key.Value, static count => count.Value, StringComparer.Ordinal),
        ContractContext.Default.DictionaryStringInt32);

    private static T Read<T>(byte[] answer, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(answer, type) ?? throw new JsonException("Another node answered null.");
}
