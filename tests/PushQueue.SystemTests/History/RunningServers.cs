using PushQueue.SystemTests.History.Judging;

namespace PushQueue.SystemTests.History;

/// <summary>Servers that somebody else runs: connections to them are cut, they themselves are left alone.</summary>
internal sealed class RunningServers(IReadOnlyList<Uri> addresses) : IServersUnderTest
{
    public IReadOnlyList<Uri> Addresses => addresses;

    public Task DisturbAsync(DisturbanceKind kind, int number, Action<HistoryEvent> note) =>
        throw new NotSupportedException("These servers are not ours to disturb.");
}
