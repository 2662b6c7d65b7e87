namespace PushQueue.Queues;

/// <summary>A pattern of queue names: a star stands for any characters, none included; everything else for itself.</summary>
internal static class NamePattern
{
    public static bool Has(ReadOnlySpan<char> text) => text.Contains('*');

    /// <summary>
    /// Linear: each star is tried again only from the last one. For a name that is itself a pattern the answer is whether the first pattern
    /// covers all names of the second, because only a star fits a star.
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
