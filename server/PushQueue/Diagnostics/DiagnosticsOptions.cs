namespace PushQueue.Diagnostics;

/// <summary>Options for what the node reports about itself.</summary>
public sealed class DiagnosticsOptions
{
    /// <summary>
    /// Queues that get metrics of their own; the rest share the series of the queue <c>/other</c>, a name that no queue can have. Anyone
    /// who may put can make queues, and each series costs the scraping system memory.
    /// </summary>
    public int QueueSeriesMax { get; set; } = 200;

    /// <summary>How many streams of the dashboard (overview, a queue, nodes, tail) may be open at once.</summary>
    public int WatchersMax { get; set; } = 500;

    /// <summary>
    /// How often the metrics of queues are read for listeners that do not ask, such as an OTLP exporter; null where only <c>/metrics</c> is
    /// read, which asks by itself.
    /// </summary>
    public TimeSpan? RefreshInterval { get; set; }
}
