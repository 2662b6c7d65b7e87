using PushQueue.Queues;

namespace PushQueue.Diagnostics;

/// <summary>
/// The notable events of this node since it started, the latest few hundred of them, in memory. An event that repeats within a minute is
/// counted, not listed again. Fed by the store's news, by the log (warnings and errors) and by those who do something notable.
/// </summary>
internal sealed class NodeEvents(TimeProvider time) : IQueueChangeListener
{
    public const int EventsMax = 500;

    private static readonly TimeSpan SameFor = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<long, NodeEvent> _events = [];
    private readonly Dictionary<(string Code, string Text), long> _numbers = [];
    private long _lastNumber;
    private long _lastVersion;

    public void Add(NodeEventLevel level, string code, string text, QueueName? queue = null)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            if (_numbers.TryGetValue((code, text), out var known) && now - _events[known].FirstAt < SameFor)
            {
                _events[known] = _events[known] with { Version = ++_lastVersion, LastAt = now, Count = _events[known].Count + 1 };
                return;
            }

            var number = ++_lastNumber;
            _events[number] = new NodeEvent(number, ++_lastVersion, level, code, text, queue?.Value, now, now, 1);
            _numbers[(code, text)] = number;
            if (_events.Remove(number - EventsMax, out var oldest) && _numbers[(oldest.Code, oldest.Text)] == oldest.Number)
            {
                _numbers.Remove((oldest.Code, oldest.Text));
            }
        }
    }

    /// <summary>The events that are new or changed since the given version, at most that many, the newest first.</summary>
    public IReadOnlyList<NodeEvent> Since(long version, int limit)
    {
        lock (_gate)
        {
            return [.. _events.Values.Where(found => found.Version > version).OrderByDescending(found => found.Number).Take(limit)];
        }
    }

    public void OnSettingsChanged(QueueName queue, QueueSettings settings) =>
        Add(
            NodeEventLevel.Info,
            "settings-changed",
            $"Settings of '{queue}' changed; it is {(settings.EffectivePolicy == DeliveryPolicy.RoundRobin ? "roundrobin" : "broadcast")} "
                + $"and {(settings.Stopped ? "stopped" : "started")}.",
            queue);

    public void OnDeleted(QueueName queue) => Add(NodeEventLevel.Info, "queue-deleted", $"Queue '{queue}' was deleted.", queue);

    public void OnFinished(QueueName queue, MessageId id, FinishedMessage outcome)
    {
        switch (outcome)
        {
            case { Acked: true }:
                return;
            case { Reason: "max-attempts" }:
                Add(NodeEventLevel.Warning, "dead-lettered", $"Messages of '{queue}' ran out of attempts.", queue);
                break;
            case { Reason: "rejected" }:
                Add(NodeEventLevel.Warning, "dead-lettered", $"Messages of '{queue}' were rejected by their workers.", queue);
                break;
            case { Reason: "expired" }:
                Add(NodeEventLevel.Info, "expired", $"Messages of '{queue}' expired before a consumer took them.", queue);
                break;
            case { Reason: { } reason } when reason.StartsWith("dropped", StringComparison.Ordinal):
                Add(NodeEventLevel.Warning, "dropped", $"Messages of '{queue}' were dropped because it is full.", queue);
                break;
        }
    }

    public void OnReady(QueueName queue)
    {
    }

    public void OnLeasedCancelled(QueueName queue, MessageId id, Receipt receipt)
    {
    }
}
