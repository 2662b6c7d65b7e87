using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded.Records;

/// <summary>The kinds of records. The numbers are on disk: new ones are added at the end, and a number never gets a second
/// meaning.</summary>
internal enum RecordType : byte
{
    /// <summary>First record of a segment: <see cref="LogRecordType.SegmentHeader"/>.</summary>
    SegmentHeader = LogRecordType.SegmentHeader,

    /// <summary>The whole state of one message: a put, or a message carried forward. The latest one counts.</summary>
    Message = 2,

    /// <summary>The messages up to <see cref="BatchEnd"/> count only if that record is there.</summary>
    BatchStart = 3,

    BatchEnd = 4,

    /// <summary>Messages are gone: taken, acked, cancelled, expired or dropped.</summary>
    Removed = 5,

    /// <summary>Messages were leased.</summary>
    Leased = 6,

    /// <summary>A message was given back, rescheduled, or its lease was extended.</summary>
    Changed = 7,

    /// <summary>Messages got consecutive offsets and went to history.</summary>
    Broadcast = 8,

    /// <summary>A message went to another queue (a dead letter, or its replay), in one step.</summary>
    Moved = 9,

    /// <summary>The whole state of one queue without its messages.</summary>
    QueueState = 10,

    QueueDeleted = 11,

    /// <summary>The queue states that follow are complete at <see cref="SnapshotEnd"/>; names the segments that exist.</summary>
    SnapshotStart = 12,

    SnapshotEnd = 13,

    /// <summary>A segment is no longer needed and its file is about to be deleted.</summary>
    SegmentDropped = 14,

    /// <summary>An id stays known although its message is gone.</summary>
    KnownId = 15,

    /// <summary>Last record of an orderly stop.</summary>
    CleanStop = 16,

    /// <summary>
    /// One body and the messages of several queues that have it: a put with its copies for subscribers, or what is left of one when it is
    /// carried forward.
    /// </summary>
    Copies = 18,

    /// <summary>How far a queue is with copying what the source of a subscription held when that began.</summary>
    Earlier = 19,

    /// <summary>Last record of a segment whose successor has begun; names the successor.</summary>
    SegmentEnd = LogRecordType.SegmentEnd,
}
