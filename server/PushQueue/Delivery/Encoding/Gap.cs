namespace PushQueue.Delivery.Encoding;

/// <summary>Messages that a consumer did not get, reported to it before the stream continues.</summary>
/// <param name="From">The first offset missed; 0 where the offsets are of another epoch and mean nothing.</param>
/// <param name="To">The last offset missed; 0 likewise.</param>
/// <param name="Cursor">Where a client resumes that got this gap, so that it gets the gap once.</param>
internal readonly record struct Gap(GapCause Cause, long From, long To, Cursor Cursor)
{
    public long Count => From == 0 ? 0 : To - From + 1;
}

internal enum GapCause
{
    /// <summary>History no longer reaches back so far.</summary>
    Expired,

    /// <summary>Dropped because the consumer's buffer was full.</summary>
    Overflow,

    /// <summary>The cursor is of another epoch; what lies between is unknown.</summary>
    Reset,
}
