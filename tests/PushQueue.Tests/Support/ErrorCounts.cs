using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>The faults in background work that a meter has counted, by where.</summary>
internal sealed class ErrorCounts : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public ErrorCounts(MessageMeter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "pushqueue.internal.errors" && ReferenceEquals(instrument.Meter.Scope, meter))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>(
            (_, count, tags, _) => _counts.AddOrUpdate((string)tags[0].Value!, count, (_, before) => before + count));
        _listener.Start();
    }

    public long this[string where] => _counts.GetValueOrDefault(where);

    public void Dispose() => _listener.Dispose();
}
