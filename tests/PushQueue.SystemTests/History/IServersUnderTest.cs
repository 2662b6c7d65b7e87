using PushQueue.SystemTests.History.Judging;

namespace PushQueue.SystemTests.History;

/// <summary>The target of a run: one server or several that share their queues.</summary>
internal interface IServersUnderTest
{
    /// <summary>Where they can be reached now, always in the same order.</summary>
    IReadOnlyList<Uri> Addresses { get; }

    /// <summary>Does something to the server with that number, or to what it depends on, and returns when all run again.</summary>
    /// <param name="kind">Anything but a cut of the clients' connections.</param>
    /// <param name="number">The server's place among the addresses.</param>
    /// <param name="note">
    /// Notes what the judges must know of it, when it has happened: a death after the end and before the new start, so that connections
    /// begun before belong to the life before.
    /// </param>
    Task DisturbAsync(DisturbanceKind kind, int number, Action<HistoryEvent> note);
}
