using PushQueue.Client;
using PushQueue.ClientTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Streaming;

/// <summary>The name that a program gives itself, over every transport.</summary>
public sealed class PresenceTests : NodeTests
{
    public static TheoryData<ConsumeTransport> Transports => ResumeTests.Transports;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Presence_shows_who_a_consumer_says_that_it_is(ConsumeTransport transport)
    {
        var queue = $"presence-{transport}";
        var client = Node.Client;
        using var end = new CancellationTokenSource();
        await using var messages = client.ConsumeAsync(
            queue, new ConsumeOptions { Transport = transport, Who = """{"name":"änn"}""" }, end.Token).GetAsyncEnumerator(end.Token);
        var first = messages.MoveNextAsync().AsTask();
        await Waiting.UntilAsync(async () => (await client.GetPresenceAsync(queue)).Count == 1, "the consumer");

        var consumer = Assert.Single((await client.GetPresenceAsync(queue).WithTimeout()).Consumers);

        Assert.Equal("änn", consumer.Who?.GetProperty("name").GetString());
        Assert.Equal("änn", Assert.Single(await client.GetConsumersAsync(queue).WithTimeout()).Who?.GetProperty("name").GetString());
        await client.PutAsync(queue, "end").WithTimeout();
        Assert.True(await first.WithTimeout());
    }
}
