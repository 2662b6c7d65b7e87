using Microsoft.Extensions.Logging;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Transports.Framing;

namespace PushQueue.Tests.Delivery.Cluster;

/// <summary>The delivery of one node: a dispatcher over a store that it shares with others.</summary>
internal sealed class TestNode
{
    private readonly ConsumerRegistry _registry = new();

    public TestNode(TestBell bell, IMessageStore shared, ILoggerFactory log)
    {
        Bell = bell;
        var store = SharedStore.Of(this, shared);
        var policies = TestPolicies.All(store, _registry, TimeProvider.System);
        Dispatcher = new Dispatcher(store, _registry, policies, TimeProvider.System, log.CreateLogger<Dispatcher>(), Meter);
        bell.Add(this);
    }

    public TestBell Bell { get; }

    /// <summary>Nobody listens to it; a meter that all nodes of all tests share holds nothing.</summary>
    private static MessageMeter Meter { get; } = new(TimeProvider.System);

    public Dispatcher Dispatcher { get; }

    /// <summary>No news comes through, and nothing that was heard before still runs.</summary>
    public volatile bool IsDeaf;

    /// <summary>Held while the node broadcasts.</summary>
    public SemaphoreSlim Broadcasting { get; } = new(1);

    /// <summary>Where it is set, nobody learns of a queue before it is done.</summary>
    public Task? Looking { get; set; }

    /// <summary>The store is out of reach.</summary>
    public volatile bool IsAway;

    /// <summary>The store is there and leases nothing for the moment.</summary>
    public volatile bool IsRefused;

    /// <summary>How often it has refused.</summary>
    public volatile int Refusals;

    public async Task DeafenAsync()
    {
        await Broadcasting.WaitAsync();
        IsDeaf = true;
        _ = Broadcasting.Release();
    }

    public Task<TestConsumer> SubscribeAsync(QueueName queue, ConsumerOptions? options = null)
    {
        var connection = new TestConsumer(this);
        _registry.Add(connection.Buffer);
        return SubscribeAsync(connection, queue, options);
    }

    /// <summary>A connection that nobody finds who looks for those of a queue: as if it had come only just too late.</summary>
    public Task<TestConsumer> SubscribeUnseenAsync(QueueName queue) => SubscribeAsync(new TestConsumer(this), queue, options: null);

    private async Task<TestConsumer> SubscribeAsync(TestConsumer connection, QueueName queue, ConsumerOptions? options)
    {
        connection.Consumer = await Dispatcher.SubscribeAsync(
            queue, connection.Buffer, LineFormat.Envelopes, options ?? ConsumerOptions.Default);
        connection.Buffer.Open();
        return connection;
    }
}
