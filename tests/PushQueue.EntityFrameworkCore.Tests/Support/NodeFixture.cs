using PushQueue.Client;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>A real server that the tests of a class share.</summary>
public sealed class NodeFixture : IAsyncLifetime
{
    internal TestNode Node { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Node = await TestNode.StartAsync("--durability", "memory");

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        UnobservedExceptions.AssertNone();
    }

    /// <summary>A queue that gives each message to one consumer, and knows ids only while their messages live.</summary>
    internal async Task<string> NewQueueAsync()
    {
        var queue = $"q{Random.Shared.NextInt64():x}";
        await Node.Client.ChangeSettingsAsync(queue, new QueueSettingsChange { Policy = "roundrobin" }).WithTimeout();
        return queue;
    }

    /// <summary>The texts of the messages that wait, in their order.</summary>
    internal async Task<List<string>> TextsAsync(string queue) =>
        await Node.Client.BrowseAsync(queue, pageSize: 1000).Select(static message => message.Text).ToListAsync();

    /// <summary>Waits until a queue has so many messages, and returns their texts.</summary>
    internal async Task<List<string>> TextsAsync(string queue, int count)
    {
        await Waiting.UntilAsync(
            async () => await Node.Client.GetQueueAsync(queue) is { } info && info.Ready >= count, $"{count} messages in the queue");
        return await TextsAsync(queue);
    }
}
