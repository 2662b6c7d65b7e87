namespace PushQueue.Storage.Log;

/// <summary>A record in a batch whose owner wants to know where it is once it is durable.</summary>
/// <param name="Owner">The owner to notify.</param>
/// <param name="Content">The object that the owner appended the record for.</param>
/// <param name="RecordOffset">Where in the segment the record begins.</param>
/// <param name="RecordLength">Bytes of the record with its header.</param>
internal readonly record struct LocatedRecord(ILogOwner Owner, object Content, long RecordOffset, int RecordLength);
