using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Queues;

namespace PushQueue.Tests.Support;

/// <summary>The counts of reached limits of one server.</summary>
internal sealed class LimitCounts : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public LimitCounts(PushQueueServer server)
    {
        var meter = server.Services.GetRequiredService<MessageMeter>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == LimitHits.CounterName && ReferenceEquals(instrument.Meter.Scope, meter))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>(
            (_, count, tags, _) => _counts.AddOrUpdate((string)tags[0].Value!, count, (_, before) => before + count));
        _listener.Start();
    }

    public long this[string limit] => _counts.GetValueOrDefault(limit);

    public void Dispose() => _listener.Dispose();
}
