namespace PushQueue.Queues;

/// <summary>Which messages a take or a lease selects.</summary>
internal readonly record struct Selection
{
    /// <summary>The next ready messages in the queue's order.</summary>
    public static Selection Next => default;

    /// <summary>
    /// The messages with the earliest <see cref="Message.AvailableAt"/> up to the time that a caller gives (then by arrival; priority does
    /// not count), ready or delayed, whatever the store's clock says. A message that comes back before its time by the store's clock is
    /// delayed again.
    /// </summary>
    public static Selection DueBy(DateTimeOffset time) => new() { Time = time };

    /// <summary>
    /// The next ready messages that match. Looks at the first <see cref="MessageFilter.SearchMax"/> ready ones only, and passes over those
    /// that do not match, which stay where they are.
    /// </summary>
    public static Selection Where(MessageFilter? filter) => new() { Filter = filter };

    /// <summary>The caller's time; null for <see cref="Next"/>.</summary>
    public DateTimeOffset? Time { get; private init; }

    /// <summary>Null for messages of any headers; never together with <see cref="Time"/>.</summary>
    public MessageFilter? Filter { get; private init; }
}
