using PushQueue.ClientTests.Support;

namespace PushQueue.ClientTests.Policies;

/// <summary>Over the store of one node.</summary>
public sealed class EmbeddedPolicyTests : PolicyOfNewQueuesTests
{
    private TestNode _node = null!;

    private protected override async Task<Uri> StartAsync()
    {
        _node = await TestNode.StartAsync("--durability", "memory");
        return _node.Proxy.Address;
    }

    private protected override ValueTask StopAsync() => _node.DisposeAsync();
}
