namespace PushQueue.SystemTests.History;

internal enum DisturbanceKind
{
    /// <summary>One connection is reset.</summary>
    CutOne,

    /// <summary>All connections but the steady ones are reset.</summary>
    CutAll,

    /// <summary>A server is killed with -9 and started again on its data.</summary>
    Kill,

    /// <summary>A server is stopped in the orderly way and started again.</summary>
    Stop,

    /// <summary>A server sleeps (SIGSTOP) until the others have taken it for dead, and wakes.</summary>
    Freeze,

    /// <summary>The Redis that servers share is killed with -9 and started again on its data.</summary>
    KillRedis,

    /// <summary>That Redis answers nothing for ten seconds.</summary>
    FreezeRedis,

    /// <summary>All connections of the servers to that Redis are reset.</summary>
    CutRedis,
}
