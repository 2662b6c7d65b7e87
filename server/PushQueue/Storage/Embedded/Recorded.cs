using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>The outcome of an operation and what its answer must wait for.</summary>
/// <param name="Value">The outcome.</param>
/// <param name="Batch">The batch that holds the last record of the operation; null where nothing was recorded.</param>
internal readonly record struct Recorded<T>(T Value, LogBatch? Batch);
