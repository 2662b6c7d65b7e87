using PushQueue.Diagnostics;
using PushQueue.Security;

namespace PushQueue.Transports.SignalR;

/// <summary>Remembers what one watcher of the nodes has been sent: the nodes each time, events of this node only once.</summary>
internal sealed class NodeChanges(NodeMeter meter, NodeEvents events, ClusterAnswers cluster, TimeProvider time)
{
    private readonly Section _access = new();
    private long _version;

    public async ValueTask<byte[]> NextAsync(Caller caller)
    {
        var node = await meter.MeasureAsync();
        var others = await cluster.FactsAsync();
        var news = events.Since(_version, NodeEvents.EventsMax);
        foreach (var found in news)
        {
            _version = Math.Max(_version, found.Version);
        }

        var json = JsonBuffer.Rent();
        var writer = json.Writer;
        writer.WriteStartObject();
        MessageJson.WriteTime(writer, "now"u8, time.GetUtcNow());
        _access.WriteIfNew(writer, "access"u8, AccessJson.OfCaller(caller));
        NodeJson.WriteNodes(writer, node, others);
        NodeJson.WriteEvents(writer, news);
        writer.WriteEndObject();
        return json.Finish();
    }
}
