using System.Diagnostics.Metrics;
using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>
/// Listens to this node's instruments of the meter <c>PushQueue</c> for the scrapers of <c>/metrics</c>. An instrument that is added
/// anywhere appears there by itself, with its name, unit and labels turned into Prometheus' conventions.
/// </summary>
internal sealed class MetricCollector : IDisposable
{
    private readonly Lock _scrape = new();
    private readonly MeterListener _listener = new();
    private readonly List<MetricValues> _instruments = [];
    private readonly QueueSeries _series;

    /// <param name="meter">Whose instruments.</param>
    /// <param name="series">The queues' figures, read again for each scrape.</param>
    /// <param name="gauges">Made before anybody scrapes.</param>
    public MetricCollector(MessageMeter meter, QueueSeries series, NodeGauges gauges)
    {
        ArgumentNullException.ThrowIfNull(gauges);
        _series = series;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meter))
            {
                Listen(instrument, listener);
            }
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, labels, state) => ((MetricValues)state!).Record(value, labels));
        _listener.SetMeasurementEventCallback<int>(static (_, value, labels, state) => ((MetricValues)state!).Record(value, labels));
        _listener.SetMeasurementEventCallback<double>(static (_, value, labels, state) => ((MetricValues)state!).Record(value, labels));
        _listener.Start();
    }

    /// <summary>The metrics of this moment in Prometheus' text format.</summary>
    public async Task<byte[]> ScrapeAsync(CancellationToken cancellationToken)
    {
        await _series.RefreshAsync(cancellationToken);
        lock (_scrape)
        {
            foreach (var values in Instruments())
            {
                values.Forget();
            }

            _listener.RecordObservableInstruments();
            return PrometheusText.Write(Instruments());
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Listen(Instrument instrument, MeterListener listener)
    {
        var values = new MetricValues(instrument);
        lock (_instruments)
        {
            _instruments.Add(values);
        }

        listener.EnableMeasurementEvents(instrument, values);
    }

    private List<MetricValues> Instruments()
    {
        lock (_instruments)
        {
            return [.. _instruments];
        }
    }
}
