using PushQueue.Client;

namespace PushQueue.Cli.Benchmark;

/// <summary>The plan of a measurement.</summary>
internal sealed record BenchPlan(
    int Messages, int Size, int Batch, int Producers, int Consumers, string Policy, bool Ack, ConsumeTransport Transport)
{
    /// <summary>How many messages should come, over all consumers.</summary>
    public long Expected => Policy == "broadcast" ? (long)Messages * Consumers : Messages;
}

/// <summary>The result of a measurement. Latencies are from just before the put to the receipt.</summary>
internal sealed record BenchResult(
    long Put, long Received, double PutPerSecond, double ReceivedPerSecond, double P50Ms, double P90Ms, double P99Ms, double MaxMs,
    long Lost, long Duplicates)
{
    public bool Sound => Lost == 0 && Duplicates == 0;
}
