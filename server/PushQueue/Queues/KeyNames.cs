namespace PushQueue.Queues;

/// <summary>The order in which keys are listed: that of their bytes in UTF-8, in which Redis compares, too.</summary>
internal static class KeyNames
{
    public static int Compare(string? x, string? y)
    {
        var length = Math.Min(x!.Length, y!.Length);
        var same = x.AsSpan(0, length).CommonPrefixLength(y.AsSpan(0, length));
        return same == length ? x.Length.CompareTo(y.Length) : Rank(x[same]).CompareTo(Rank(y[same]));
    }

    /// <summary>Halves of pairs stand for code points beyond all single characters.</summary>
    private static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
