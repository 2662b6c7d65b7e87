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

    /// <summary>Whether one of the patterns covers all names that another pattern fits.</summary>
    public bool CoversAllOf(string pattern) => Covers(pattern);

    public bool Allows(Permissions anyOf, QueueName queue)
    {
        if (Can.HasAny(anyOf) && Covers(queue.Value))
        {
            return true;
        }

        return queue.IsDeadLetter && Can.HasAny(Permissions.Manage) && anyOf.HasAny(OnDeadLetters) && Covers(queue.Source.Value);
    }

    /// <summary>All that the grant allows on a queue.</summary>
    public Permissions On(QueueName queue)
    {
        var can = Covers(queue.Value) ? Can : Permissions.None;
        return queue.IsDeadLetter && Can.HasAny(Permissions.Manage) && Covers(queue.Source.Value) ? can | OnDeadLetters : can;
    }

    /// <summary>The claim that grants the same on one of the patterns: <c>put,listen:orders.*</c>.</summary>
    public string ToClaim(string pattern)
    {
        // Every other permission includes stats, so that word is written only where it stands alone.
        var words = PermissionWords.Of(bit => Can.HasAny(bit) && (bit != Permissions.Stats || Can == Permissions.Stats));
        return $"{string.Join(',', words)}:{pattern}";
    }

    private bool Covers(ReadOnlySpan<char> name)
    {
        foreach (var pattern in Patterns)
        {
            if (NamePattern.Fits(pattern, name))
            {
                return true;
            }
        }

        return false;
    }
}
