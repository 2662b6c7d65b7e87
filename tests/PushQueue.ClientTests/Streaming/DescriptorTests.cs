using PushQueue.Client;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Streaming;

/// <summary>Tests that count what the whole process has open; nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>The resources that streams leave behind in the process: nothing.</summary>
[Collection(nameof(AloneCollection))]
public sealed class DescriptorTests
{
    private const int Rounds = 10;

    [Theory]
    [MemberData(nameof(ResumeTests.Transports), MemberType = typeof(ResumeTests))]
    public async Task Streams_that_broke_and_ended_leave_no_socket_open(ConsumeTransport transport)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are counted in /proc.");
        await using var node = await TestNode.StartAsync("--durability", "memory");
        var queue = await node.NewQueueAsync("roundrobin");
        await UseAsync(node, queue, transport);
        await Waiting.UntilAsync(() => node.Proxy.Open == 0, "the first client's connections to be gone");
        var before = Sockets();

        for (var round = 0; round < Rounds; round++)
        {
            await UseAsync(node, queue, transport);
        }

        // Fewer is possible: something of before may have been on its way to its end.
        await Waiting.UntilAsync(() => Sockets() <= before, $"no more than {before} sockets");
        UnobservedExceptions.AssertNone();
    }

    /// <summary>A client of its own that puts, consumes, loses its connection, comes back, acks and goes.</summary>
    private static async Task UseAsync(TestNode node, string queue, ConsumeTransport transport)
    {
        using var client = node.NewClient();
        var connected = new SemaphoreSlim(0);
        var stream = client.ConsumeAsync(queue, new ConsumeOptions { Transport = transport, Ack = AckMode.Manual });
        stream.Connected += () => connected.Release();
        await using var messages = stream.GetAsyncEnumerator();
        var next = messages.MoveNextAsync().AsTask();
        await connected.WaitAsync().WithTimeout();
        node.Proxy.Cut();
        await connected.WaitAsync().WithTimeout();
        await client.PutAsync(queue, "x", new PutOptions { Id = $"{Random.Shared.NextInt64():x}" }).WithTimeout();
        Assert.True(await next.WithTimeout());
        Assert.True(await messages.Current.AckAsync().WithTimeout());
    }

    private static int Sockets() => Directory.EnumerateFileSystemEntries("/proc/self/fd")
        .Count(path => new FileInfo(path).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) is true);
}
