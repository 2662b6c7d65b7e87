using System.Diagnostics.Metrics;
using PushQueue.Delivery;
using PushQueue.Delivery.Encoding;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>
/// The instruments that are read when somebody asks: the queues, who is connected, the store, the process. They cost nothing between.
/// </summary>
internal sealed class NodeGauges
{
    private static readonly GapCause[] GapCauses = Enum.GetValues<GapCause>();

    private readonly Meter _meter;
    private readonly QueueSeries _series;

    public NodeGauges(
        MessageMeter meter, QueueSeries series, Dispatcher dispatcher, ConsumerRegistry registry, IStoreLifecycle store,
            NodeStatistics statistics)
    {
        _meter = meter.Meter;
        _series = series;
        AddQueues();
        AddDelivery(dispatcher.Counts, registry);
        AddStore(store);
        AddNode(statistics);
    }

    private void AddQueues()
    {
        _ = _meter.CreateObservableGauge("pushqueue.queues", () => _series.Queues, "{queue}", "Queues.");
        _ = _meter.CreateObservableGauge("pushqueue.queue.messages", Messages, "{message}",
            "Messages of a queue by state; history counts broadcast messages kept for resuming.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.queue.size", () => Each(static point => point.Bytes), "By", "Bodies of the live messages of a queue.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.queue.oldest.age", () =>
                Each(static point => point.OldestSeconds), "s", "How long the oldest ready message of a queue has waited.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.queue.keys.blocked", () =>
                Each(static point => point.BlockedKeys), "{key}", "Keys of a queue whose ready messages wait for others of the key.");
        AddCounter("put", "Messages put.", static counters => counters.Put);
        AddCounter("delivered", "Messages delivered and removed.", static counters => counters.Delivered);
        AddCounter("acked", "Leases acked.", static counters => counters.Acked);
        AddCounter("failed", "Leases that ended by a release or a timeout.", static counters => counters.Failed);
        AddCounter("cancelled", "Messages cancelled.", static counters => counters.Cancelled);
        AddCounter("expired", "Messages dropped because their time to live ended.", static counters => counters.Expired);
        AddCounter("dropped", "Messages dropped because their queue was full.", static counters => counters.Dropped);
        AddCounter("dead_lettered", "Messages dead-lettered.", static counters => counters.DeadLettered);
        AddCounter("lost", "Messages that were damaged on disk.", static counters => counters.Lost);
    }

    private void AddCounter(string name, string help, Func<QueueCounters, long> value) =>
        _meter.CreateObservableCounter(
            "pushqueue.queue." + name, () => Each(point => value(point.Counters)), "{message}", help + " By queue, since it was created.");

    private void AddDelivery(DeliveryCounts counts, ConsumerRegistry registry)
    {
        _ = _meter.CreateObservableCounter(
            "pushqueue.messages.delivered", () =>
                counts.Delivered, "{message}", "Messages pushed to connections, each once for each consumer.");
        _ = _meter.CreateObservableCounter(
            "pushqueue.gaps",
            () => GapCauses.Select(cause => new Measurement<long>(counts.GapsOf(cause), Label("cause", Text(cause)))),
            "{gap}",
            "Gaps reported to consumers, by cause.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.connections", () => Connections(registry), "{connection}", "Connections that hold consumers, by transport.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.buffers.used", () => registry.Memory.Used, "By", "Memory of the pending output of all connections.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.buffers.limit", () => registry.Memory.BytesMax, "By", "Limit of the pending output of all connections.");
        _ = _meter.CreateObservableGauge("pushqueue.consumers", () => registry.Consumers, "{consumer}", "Consumers on this node.");
    }

    private void AddStore(IStoreLifecycle store)
    {
        _ = _meter.CreateObservableGauge(
            "pushqueue.store.available", () => store.UnavailableReason is null ? 1 : 0, null, "1 while the store can serve.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.store.damaged", () => store.Damage?.Places ?? 0, "{place}", "Places of the log that are damaged or missing.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.store.used", () => Of(_series.Usage?.UsedBytes), "By", "Space that the store uses.");
        _ = _meter.CreateObservableGauge("pushqueue.store.free", () => Of(_series.Usage?.FreeBytes), "By", "Free space on the store's "
            + "disk.");
        _ = _meter.CreateObservableGauge("pushqueue.store.files", () => Of(_series.Usage?.Files), "{file}", "Files of the store.");
    }

    private void AddNode(NodeStatistics statistics)
    {
        _ = _meter.CreateObservableGauge(
            "pushqueue.takes.waiting", () => statistics.WaitingTakes, "{take}", "Takes that wait for a message.");
        _ = _meter.CreateObservableGauge("pushqueue.workers", () => statistics.Workers, "{worker}", "Workers with a name.");
        _ = _meter.CreateObservableGauge("pushqueue.uptime", () => statistics.Uptime.TotalSeconds, "s", "Time since the start.");
        _ = _meter.CreateObservableGauge(
            "pushqueue.build.info",
            () => new Measurement<int>(1, Label("version", NodeStatistics.Version), Label("store", statistics.Store.Split(' ')[0])),
            null,
            "Always 1; its labels describe the build.");
        _ = _meter.CreateObservableGauge("pushqueue.process.resident", () => Environment.WorkingSet, "By", "Memory of the process.");
        _ = _meter.CreateObservableCounter(
            "pushqueue.process.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time of the process.");
    }

    private IEnumerable<Measurement<T>> Each<T>(Func<SeriesPoint, T> value)
        where T : struct =>
        _series.Points.Select(point => new Measurement<T>(value(point), Label("queue", point.Queue)));

    private IEnumerable<Measurement<long>> Messages()
    {
        foreach (var point in _series.Points)
        {
            yield return OfState(point, "ready", point.Ready);
            yield return OfState(point, "delayed", point.Delayed);
            yield return OfState(point, "leased", point.Leased);
            yield return OfState(point, "history", point.History);
        }
    }

    private static Measurement<long> OfState(SeriesPoint point, string state, long value) =>
        new(value, Label("queue", point.Queue), Label("state", state));

    private static IEnumerable<Measurement<int>> Connections(ConsumerRegistry registry) =>
        registry.CountByTransport().Select(static count => new Measurement<int>(count.Value, Label("transport", count.Key)));

    private static IEnumerable<Measurement<long>> Of(long? value) => value is { } known ? [new Measurement<long>(known)] : [];

    private static string Text(GapCause cause) => cause switch
    {
        GapCause.Expired => "expired",
        GapCause.Overflow => "overflow",
        _ => "reset",
    };

    private static KeyValuePair<string, object?> Label(string name, object? value) => new(name, value);
}
