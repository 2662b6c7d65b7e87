namespace PushQueue.Storage.Log;

/// <summary>The log as recovery found it: where the next segment continues.</summary>
/// <param name="Segments">The segments by number, all sealed.</param>
/// <param name="Missing">Segments that are missing, should they come back.</param>
/// <param name="NextSegmentNumber">A number that no segment has or had.</param>
/// <param name="Identity">The store's id.</param>
/// <param name="BootId">The boot of the machine.</param>
internal sealed record RecoveredLog(
    IReadOnlyList<Segment> Segments,
    IReadOnlyCollection<SegmentExtent> Missing,
    int NextSegmentNumber,
    LogIdentity Identity,
    string BootId);
