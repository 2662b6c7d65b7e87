namespace PushQueue.Queues;

/// <summary>Patterns for names of queues, in which <c>*</c> stands for any characters.</summary>
internal static class NamePattern
{
    /// <summary>
    /// A star stands for any characters, none included; everything else for itself. Linear: each star is tried again only from the last
    /// one.
    /// </summary>
    public static bool Fits(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        var (p, n) = (0, 0);
        var (star, from) = (-1, 0);
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, from) = (p++, n);
            }
            else if (p < pattern.Length && pattern[p] == name[n])
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                (p, n) = (star + 1, ++from);
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].IndexOfAnyExcept('*') < 0;
    }
}
