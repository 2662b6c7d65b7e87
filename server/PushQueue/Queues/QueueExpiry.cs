namespace PushQueue.Queues;

/// <summary>Gives queues of some names the setting <c>expires</c> where they have none of their own.</summary>
/// <param name="Queues">
/// A name, or a pattern in which <c>*</c> stands for any characters: <c>reply.*</c>. Dead-letter queues match only patterns that end in
/// <c>.dead</c>.
/// </param>
/// <param name="After">How long such a queue stays without being used, at least a minute.</param>
public sealed record QueueExpiry(string Queues, TimeSpan After)
{
    /// <summary>The shortest time; a take waits as long at most, so a queue never goes while one waits.</summary>
    internal static readonly TimeSpan ShortestAfter = TimeSpan.FromMinutes(1);

    /// <summary>The time that the first pattern that matches gives to a queue; null where none matches.</summary>
    internal static TimeSpan? Find(IReadOnlyList<QueueExpiry> rules, QueueName queue)
    {
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].Matches(queue))
            {
                return rules[i].After;
            }
        }

        return null;
    }

    /// <summary>The change that gives a queue its default; null where it has none.</summary>
    internal static QueueSettingsPatch? PatchOf(IReadOnlyList<QueueExpiry> rules, QueueName queue) =>
        Find(rules, queue) is { } after ? new QueueSettingsPatch { Expires = after, Condition = SettingsCondition.UndecidedExpiry } : null;

    private bool Matches(QueueName queue) =>
        queue.IsDeadLetter == Queues.EndsWith(QueueName.DeadSuffix, StringComparison.Ordinal) && NamePattern.Fits(Queues, queue.Value);
}
