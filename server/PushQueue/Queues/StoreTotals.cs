namespace PushQueue.Queues;

/// <summary>The contents of a store.</summary>
/// <param name="Queues">Queues, those of dead letters included.</param>
/// <param name="Messages">Live messages; history does not count.</param>
/// <param name="Bytes">Their bodies.</param>
internal readonly record struct StoreTotals(long Queues, long Messages, long Bytes);
