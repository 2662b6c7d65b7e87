using Xunit;

namespace PushQueue.ClientTests.Support;

/// <summary>Tests that share one server process; each has queues of its own. At the end no connection of any client may be left.</summary>
public abstract class NodeTests : IAsyncLifetime
{
    internal TestNode Node { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Node = await TestNode.StartAsync("--durability", "memory");

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Node.Client.Dispose();
        try
        {
            await Waiting.UntilAsync(() => Node.Proxy.Open == 0, "a client has left a connection open");
        }
        finally
        {
            await Node.DisposeAsync();
        }

        UnobservedExceptions.AssertNone();
    }
}
