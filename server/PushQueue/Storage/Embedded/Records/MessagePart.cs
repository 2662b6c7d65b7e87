using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>One message of a record of several queues.</summary>
/// <param name="Owner">Its queue.</param>
/// <param name="Queue">The queue's number.</param>
/// <param name="Message">The message.</param>
internal readonly record struct MessagePart(ILogOwner Owner, long Queue, StoredMessage Message);
