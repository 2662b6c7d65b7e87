using PushQueue.SystemTests.Cluster;

namespace PushQueue.ClientTests.Policies;

/// <summary>Over Redis.</summary>
public sealed class RedisPolicyTests : PolicyOfNewQueuesTests
{
    private ClusterFixture _cluster = null!;

    private protected override async Task<Uri> StartAsync()
    {
        _cluster = await ClusterFixture.StartAsync(nodes: 1);
        return _cluster.Addresses[0];
    }

    private protected override ValueTask StopAsync() => _cluster.DisposeAsync();
}
