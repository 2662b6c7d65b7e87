using System.Globalization;
using System.Text;

namespace PushQueue.Diagnostics;

/// <summary>
/// The node's figures in Prometheus' text format. Sums only: a label per queue would let anyone who can put fill the memory of whoever
/// scrapes.
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static byte[] Write(NodeSnapshot node)
    {
        var text = new StringBuilder(4096);
        Gauge(text, "pushqueue_queues", "Queues.", node.Queues);
        Gauge(text, "pushqueue_messages_ready", "Messages that can be taken now.", node.Ready);
        Gauge(text, "pushqueue_messages_delayed", "Messages that wait for their time.", node.Delayed);
        Gauge(text, "pushqueue_messages_leased", "Messages held by workers.", node.Leased);
        Gauge(text, "pushqueue_messages_history", "Broadcast messages kept for resuming.", node.History);
        Gauge(text, "pushqueue_message_bytes", "Bytes of the bodies of all live messages.", node.Bytes);
        Gauge(text, "pushqueue_waiting_takes", "Takes that wait for a message.", node.WaitingTakes);
        Gauge(text, "pushqueue_workers", "Workers that gave their name.", node.Workers);
        Gauge(text, "pushqueue_process_resident_bytes", "Memory of the process.", node.MemoryBytes);
        Gauge(text, "pushqueue_uptime_seconds", "Time since the start.", (long)node.Uptime.TotalSeconds);

        // Sums over the queues that exist: deleting one takes its share away, which Prometheus reads as a restart of the counter.
        Counter(text, "pushqueue_put_total", "Messages put.", node.Counters.Put);
        Counter(text, "pushqueue_delivered_total", "Messages given out and gone.", node.Counters.Delivered);
        Counter(text, "pushqueue_acked_total", "Leases acked.", node.Counters.Acked);
        Counter(text, "pushqueue_failed_total", "Leases that ended in a release or by time.", node.Counters.Failed);
        Counter(text, "pushqueue_cancelled_total", "Messages cancelled.", node.Counters.Cancelled);
        Counter(text, "pushqueue_expired_total", "Messages dropped because their time to live ended.", node.Counters.Expired);
        Counter(text, "pushqueue_dropped_total", "Messages dropped because their queue was full.", node.Counters.Dropped);
        Counter(text, "pushqueue_dead_lettered_total", "Messages dead-lettered.", node.Counters.DeadLettered);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Gauge(StringBuilder text, string name, string help, long value) => Write(text, name, help, "gauge", value);

    private static void Counter(StringBuilder text, string name, string help, long value) => Write(text, name, help, "counter", value);

    private static void Write(StringBuilder text, string name, string help, string type, long value) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value}\n");
}
