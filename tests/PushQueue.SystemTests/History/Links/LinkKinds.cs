namespace PushQueue.SystemTests.History.Links;

/// <summary>Makes connections of each kind.</summary>
internal sealed class LinkKinds(HttpClient http)
{
    public StreamLink Comet(Uri address) => new HttpLink(address, http, events: false);

    public StreamLink Events(Uri address) => new HttpLink(address, http, events: true);

    public StreamLink Socket(Uri address) => new SocketLink(address, http);

    public StreamLink Hub(Uri address) => new HubLink(address, http);

    public StreamLink Item(Uri address) => new HubLink(address, http, consume: true);
}
