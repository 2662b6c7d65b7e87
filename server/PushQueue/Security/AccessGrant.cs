using PushQueue.Queues;

namespace PushQueue.Security;

/// <summary>Permissions on the queues whose names fit one of some patterns.</summary>
internal sealed record AccessGrant(IReadOnlyList<string> Patterns, Permissions Can)
{
    /// <summary>The pattern of every queue.</summary>
    public const string Everything = "*";

    /// <summary>A key that manages a queue may do this with its dead letters, whatever the pattern says of their own queue.</summary>
    private const Permissions OnDeadLetters = Permissions.Manage | Permissions.Take | Permissions.Listen | Permissions.Stats;

    public bool CoversAll => Patterns.Contains(Everything, StringComparer.Ordinal);

    public bool Allows(Permissions anyOf, QueueName queue)
    {
        if (Can.HasAny(anyOf) && Covers(queue.Value))
        {
            return true;
        }

        return queue.IsDeadLetter && Can.HasAny(Permissions.Manage) && anyOf.HasAny(OnDeadLetters) && Covers(queue.Source.Value);
    }

    private bool Covers(ReadOnlySpan<char> name)
    {
        foreach (var pattern in Patterns)
        {
            if (Fits(pattern, name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// A star stands for any characters, none included; everything else for itself. Linear: each star is tried again only from the last
    /// one.
    /// </summary>
    internal static bool Fits(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
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
