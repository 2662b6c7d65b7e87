namespace PushQueue.Security;

/// <summary>The acts that a key may be allowed on a queue. Several together mean: any of them.</summary>
[Flags]
internal enum Permissions
{
    None = 0,

    /// <summary>Put messages, and cancel or reschedule them.</summary>
    Put = 1,

    /// <summary>Take and lease messages, settle leases, look at messages.</summary>
    Take = 2,

    /// <summary>Have messages pushed, settle the leases that come with them, look at messages.</summary>
    Listen = 4,

    /// <summary>
    /// Change settings, stop and start, purge and delete, cancel, replay dead letters, see and disconnect consumers, look at messages.
    /// </summary>
    Manage = 8,

    /// <summary>See counters and settings. Every other permission brings it along.</summary>
    Stats = 16,

    Any = Put | Take | Listen | Manage | Stats,
}
