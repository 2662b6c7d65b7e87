using System.Collections.Concurrent;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using PushQueue.ClientTests.Streaming;
using Xunit;

namespace PushQueue.ClientTests.Requests;

/// <summary>The access key, on everything that leaves the client.</summary>
public sealed class KeyTests : NodeTests
{
    [Theory]
    [MemberData(nameof(ResumeTests.Transports), MemberType = typeof(ResumeTests))]
    public async Task It_goes_with_every_request_and_every_stream(ConsumeTransport transport)
    {
        using var watch = new Watch();
        using var client = Node.NewClient(options =>
        {
            options.Key = "secret";
            options.HttpHandler = watch;
        });
        var queue = await Node.NewQueueAsync("roundrobin");
        await client.PutAsync(queue, "x").WithTimeout();
        await foreach (var message in client.ConsumeAsync(queue, new ConsumeOptions { Transport = transport, Ack = AckMode.Manual }))
        {
            await message.AckAsync().WithTimeout();
            break;
        }

        Assert.True(watch.Seen.Count >= 4, "A put, a look, a stream and an ack.");
        Assert.All(watch.Seen, authorization => Assert.Equal("Bearer secret", authorization));
    }

    private sealed class Watch() : DelegatingHandler(new SocketsHttpHandler())
    {
        public ConcurrentQueue<string?> Seen { get; } = new();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Seen.Enqueue(request.Headers.TryGetValues("Authorization", out var values) ? values.First() : null);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
