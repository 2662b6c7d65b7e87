namespace PushQueue.Storage.Log;

/// <summary>
/// The types of records that the log itself writes and reads. All other types belong to its user. The numbers are on disk: a number
/// never gets a
/// second meaning.
/// </summary>
internal static class LogRecordType
{
    /// <summary>First record of a segment, twice.</summary>
    public const byte SegmentHeader = 1;

    /// <summary>Last record of a segment whose successor has begun; names the successor.</summary>
    public const byte SegmentEnd = 17;

    /// <summary>No record has a higher type. The bound keeps the search behind damage cheap.</summary>
    public const byte Last = 19;
}
