using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Streaming;
using Xunit;

namespace PushQueue.Tests.Transports;

public sealed class StreamStartTests
{
    [Fact]
    public async Task A_stream_whose_start_fails_in_whatever_way_leaves_no_connection_behind()
    {
        await using var server = await PushQueueServer.StartAsync();
        var context = new DefaultHttpContext { RequestServices = server.Services };
        var response = new StartedResponse();
        context.Features.Set<IHttpResponseFeature>(response);
        context.Features.Set<IHttpResponseBodyFeature>(new FailingBody(response));
        var form = new HttpStreamForm("sse", HttpStreamEndpoint.EventStream, ServerSentEventFormat.Envelopes, ChunkedFormat.Events);
        var request = new StreamRequest(QueueName.Parse("news"), ConsumerOptions.Default);

        var serving = server.Services.GetRequiredService<HttpStreamEndpoint>().ServeAsync(context, request, form);

        await Assert.ThrowsAsync<InvalidOperationException>(() => serving.WithTimeout());
        Assert.Equal(0, server.Services.GetRequiredService<ConsumerRegistry>().Connections);
    }

    private sealed class StartedResponse : HttpResponseFeature
    {
        public bool Started { get; set; }

        public override bool HasStarted => Started;
    }

    private sealed class FailingBody(StartedResponse response) : StreamResponseBodyFeature(Stream.Null)
    {
        public override Task StartAsync(CancellationToken cancellationToken = default)
        {
            response.Started = true;
            throw new InvalidOperationException("The test's response breaks as it starts.");
        }
    }
}
