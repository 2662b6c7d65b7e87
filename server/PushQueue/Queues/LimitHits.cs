using System.Diagnostics.Metrics;

namespace PushQueue.Queues;

/// <summary>Counts what was refused because a limit was reached: the counter <c>pushqueue.limits.hit</c>, by limit.</summary>
internal sealed class LimitHits(MessageMeter meter)
{
    public const string CounterName = "pushqueue.limits.hit";

    private readonly Counter<long> _hits = meter.Meter.CreateCounter<long>(
        CounterName, unit: "{refusal}", description: "Requests, messages and connections refused because a limit was reached, by limit.");

    /// <param name="limit">One of <see cref="LimitNames"/>.</param>
    public void Count(string limit) => _hits.Add(1, new KeyValuePair<string, object?>("limit", limit));
}
