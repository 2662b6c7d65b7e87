using PushQueue.Diagnostics;
using PushQueue.Security;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>Remembers what one watcher of the nodes has been sent: the nodes each time, events of this node only once.</summary>
internal sealed class NodeChanges(NodeEvents events, ClusterAnswers cluster, TimeProvider time)
{
    private readonly Section _access = new();
    private long _version;

    public async ValueTask<byte[]> NextAsync(Caller caller)
    {
        var nodes = await cluster.FactsAsync();
        var latest = events.Since(_version, NodeEvents.EventsMax);
        foreach (var found in latest)
        {
            _version = Math.Max(_version, found.Version);
        }

        var changes = new WatchedNodesContract
        {
            Now = time.GetUtcNow(),
            Access = _access.IfNew(CallerAccessContract.Of(caller), ContractContext.Default.CallerAccessContract),
            Nodes = nodes,
            Events = [.. latest.Select(EventContract.Of)],
        };
        return JsonBuffer.Write(changes, ContractContext.Default.WatchedNodesContract);
    }
}
