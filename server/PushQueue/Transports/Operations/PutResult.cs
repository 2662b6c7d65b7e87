using PushQueue.Queues;

namespace PushQueue.Transports.Operations;

/// <summary>The result of a put.</summary>
/// <param name="Put">The put, and the end of its message where the put waited for it.</param>
/// <param name="Stored">False where the put failed, so that there is no id to report.</param>
/// <param name="Waited">Whether the put waited for the end of its message.</param>
/// <param name="Problem">Null where all is well. A message that was stored and ended without an ack is a problem, too.</param>
internal readonly record struct PutResult(AwaitedPut Put, bool Stored, bool Waited, Problem? Problem);
