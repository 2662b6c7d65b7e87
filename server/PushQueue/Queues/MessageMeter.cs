using System.Diagnostics.Metrics;

namespace PushQueue.Queues;

/// <summary>
/// The meter <c>PushQueue</c> of one node, with the instruments that are counted as things happen. Values that can be read when a
/// collector asks are observed instead (Diagnostics). A count costs a few nanoseconds; nothing here has a label per queue.
/// </summary>
internal sealed class MessageMeter : IDisposable
{
    public const string Name = "PushQueue";

    /// <summary>Seconds: from a fast SSD's flush to a disk that stalls.</summary>
    private static readonly double[] FlushBuckets =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

    private readonly TimeProvider _time;
    private readonly Histogram<double> _flush;
    private readonly Counter<long> _internalErrors;

    public MessageMeter(TimeProvider time)
    {
        _time = time;

        // Its own scope: two servers in one process are told apart by it.
        Meter = new Meter(new MeterOptions(Name) { Scope = this });
        Put = Messages("pushqueue.messages.put", "Messages stored by puts to this node.");
        Copies = Messages("pushqueue.messages.copied", "Copies that puts to this node made for subscribers.");
        Duplicates = Messages("pushqueue.messages.duplicate", "Puts that stored nothing because their id was known.");
        Taken = Messages("pushqueue.messages.taken", "Messages taken without a lease.");
        Leased = Messages(
            "pushqueue.messages.leased", "Messages leased by requests; messages pushed under manual ack count as delivered.");
        Acked = Messages("pushqueue.messages.acked", "Leases acked by workers.");
        Released = Messages("pushqueue.messages.released", "Leases given back by workers.");
        LeasesLost = Messages("pushqueue.leases.lost", "Acks, releases and touches that came too late.");
        PutsRefused = Meter.CreateCounter<long>("pushqueue.puts.refused", "{put}", "Puts that were refused, by reason.");
        _internalErrors = Meter.CreateCounter<long>(
            "pushqueue.internal.errors", "{error}", "Faults in background work, by kind of work; the log names the queue of each.");
        _flush = Meter.CreateHistogram(
            "pushqueue.store.flush.duration",
            "s",
            "Flushes of the log to the disk.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = FlushBuckets });
    }

    public Meter Meter { get; }

    public Counter<long> Put { get; }

    /// <summary>Not among <see cref="Put"/>.</summary>
    public Counter<long> Copies { get; }

    public Counter<long> Duplicates { get; }

    public Counter<long> Taken { get; }

    public Counter<long> Leased { get; }

    public Counter<long> Acked { get; }

    public Counter<long> Released { get; }

    public Counter<long> LeasesLost { get; }

    /// <summary>Label <c>reason</c>.</summary>
    public Counter<long> PutsRefused { get; }

    public void Flushed(TimeSpan took) => _flush.Record(took.TotalSeconds);

    /// <summary>Label <c>where</c>; <see cref="FaultBorder"/> counts.</summary>
    public void CountInternalErrors(string where, long count) =>
        _internalErrors.Add(count, new KeyValuePair<string, object?>("where", where));

    public void Dispose() => Meter.Dispose();

    private Counter<long> Messages(string name, string help) => Meter.CreateCounter<long>(name, "{message}", help);
}
