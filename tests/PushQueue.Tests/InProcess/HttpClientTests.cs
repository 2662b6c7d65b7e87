using PushQueue.Client;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.InProcess;

/// <summary>The contract of clients, over HTTP.</summary>
public sealed class HttpClientTests : ClientContract
{
    private PushQueueClient? _client;

    public override async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await base.DisposeAsync();
    }

    private protected override IPushQueueClient NewClient(PushQueueServer server) =>
        _client = new PushQueueClient(server.Address.AbsoluteUri);
}
