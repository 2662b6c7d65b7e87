namespace PushQueue.Client;

/// <summary>The server's answer to a put.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Id">The message's id.</param>
/// <param name="Durability">The promise of the answer: <c>synced</c> (on disk), <c>interval:…</c> or <c>memory</c>.</param>
/// <param name="Duplicate">The id was known already; nothing was stored.</param>
/// <param name="Acked">With <see cref="PutOptions.WaitForAck"/>: whether the message has been acked, taken or broadcast; false: it still
/// lives.</param>
/// <param name="Gone">With <see cref="PutOptions.WaitForAck"/>: a duplicate of a message that ended before.</param>
/// <param name="Worker">The worker that acked it.</param>
/// <param name="Attempts">The number of deliveries.</param>
/// <param name="Copies">How many queues got a copy, because they subscribe to this one.</param>
public sealed record PutResult(
    string Queue, string Id, string Durability, bool Duplicate = false, bool? Acked = null, bool Gone = false, string? Worker = null,
    int? Attempts = null, int Copies = 0);

/// <summary>The server's answer to a put of many: all were stored.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Ids">The ids of the messages, in their order.</param>
/// <param name="Durability">The promise of the answer.</param>
/// <param name="Duplicates">Ids that were known already, whose messages were not stored again; null for none.</param>
/// <param name="Copies">How many copies other queues got, because they subscribe to this one.</param>
public sealed record PutManyResult(
    string Queue, IReadOnlyList<string> Ids, string Durability, IReadOnlyList<string>? Duplicates = null, int Copies = 0);
