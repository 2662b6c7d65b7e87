using System.Globalization;

namespace PushQueue.Storage.Redis;

/// <summary>Where a page of messages ends, as clients give it back.</summary>
internal static class RedisPageCursor
{
    /// <summary>A cursor is score and member of the last message: <c>39582418599936-0000000000000420</c>.</summary>
    public static bool TryRead(string? after, out string score, out string member)
    {
        const int MemberLength = 16;
        (score, member) = (string.Empty, string.Empty);
        if (after is null)
        {
            return true;
        }

        var dash = after.IndexOf('-', StringComparison.Ordinal);
        if (dash <= 0
            || after.Length - dash - 1 != MemberLength
            || !long.TryParse(after.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out _)
            || !long.TryParse(after.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return false;
        }

        (score, member) = (after[..dash], after[(dash + 1)..]);
        return true;
    }
}
