using System.Diagnostics.Metrics;

namespace PushQueue.EntityFrameworkCore;

/// <summary>The meter <c>PushQueue.EntityFrameworkCore</c>. Each instrument says of which context its values are.</summary>
internal sealed class OutboxMeter : IDisposable
{
    public const string Name = "PushQueue.EntityFrameworkCore";

    private readonly Meter _meter;
    private readonly ObservableGauge<long> _waiting;
    private readonly ObservableGauge<long> _setAside;
    private readonly ObservableGauge<double> _oldestAge;
    private OutboxState? _state;

    public OutboxMeter(string context, IMeterFactory? meters)
    {
        Context = new("context", context);
        var options = new MeterOptions(Name) { Scope = meters };
        _meter = meters?.Create(options) ?? new Meter(options);
        Forwarded = _meter.CreateCounter<long>("pushqueue.outbox.forwarded", "{message}", "Messages that the outbox has put.");
        Refused = _meter.CreateCounter<long>("pushqueue.outbox.refused", "{message}", "Messages that the server refused for good.");
        _waiting = _meter.CreateObservableGauge(
            "pushqueue.outbox.waiting", () => Observe(static state => state.Waiting), "{message}", "Messages that wait to be put.");
        _setAside = _meter.CreateObservableGauge(
            "pushqueue.outbox.setaside", () => Observe(static state => state.SetAside), "{message}", "Refused messages in the outbox.");
        _oldestAge = _meter.CreateObservableGauge(
            "pushqueue.outbox.oldest.age", () => Observe(static state => state.OldestAge.TotalSeconds), "s",
            "The age of the oldest message that waits to be put.");
    }

    public KeyValuePair<string, object?> Context { get; }

    public Counter<long> Forwarded { get; }

    public Counter<long> Refused { get; }

    /// <summary>Whether a collector wants the values that need a look into the database.</summary>
    public bool IsObserved => _waiting.Enabled || _setAside.Enabled || _oldestAge.Enabled;

    /// <summary>Shown from now on.</summary>
    public void Show(OutboxState state) => Volatile.Write(ref _state, state);

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<T>> Observe<T>(Func<OutboxState, T> value)
        where T : struct => Volatile.Read(ref _state) is { } state ? [new Measurement<T>(value(state), Context)] : [];
}
