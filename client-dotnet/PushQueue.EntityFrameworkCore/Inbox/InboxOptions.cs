namespace PushQueue.EntityFrameworkCore;

/// <summary>How long an inbox remembers messages.</summary>
public sealed class InboxOptions
{
    /// <summary>How long the id of a message is remembered after its work began; 1 minute to ten years, default 7 days. A message that
    /// comes again later is worked on again.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);

    /// <exception cref="ArgumentException">An option has an impossible value.</exception>
    internal static void Check(InboxOptions options)
    {
        if (options.Retention < TimeSpan.FromMinutes(1) || options.Retention > TimeSpan.FromDays(3650))
        {
            throw new ArgumentException($"Retention is {options.Retention}; give 1 minute to ten years.", nameof(options));
        }
    }
}
