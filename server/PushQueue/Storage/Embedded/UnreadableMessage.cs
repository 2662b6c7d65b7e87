using PushQueue.Storage.Embedded.Records;
using PushQueue.Storage.Log;

namespace PushQueue.Storage.Embedded;

/// <summary>A message whose record could not be read.</summary>
/// <param name="Stored">The message.</param>
/// <param name="Segment">Where its record was looked for.</param>
/// <param name="Offset">The record's place in the segment.</param>
internal readonly record struct UnreadableMessage(StoredMessage Stored, Segment Segment, long Offset);
