using System.Collections.Concurrent;
using System.Diagnostics;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Diagnostics;

public sealed class TracingTests
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string TraceParent = "00-" + TraceId + "-b7ad6b7169203331-01";

    [Fact]
    public async Task The_trace_context_of_a_put_comes_with_the_message_after_a_restart_too()
    {
        using var directory = new TemporaryDirectory();
        await using (var server = await PushQueueServer.StartAsync(options => options.Storage.DataDirectory = directory.Path))
        {
            using var put = new HttpRequestMessage(HttpMethod.Post, "/q/test?id=a") { Content = new StringContent("x") };
            put.Headers.Add("traceparent", TraceParent);
            Assert.Equal(201, (await server.SendAsync(put)).Status);
            await server.PostAsync("/q/test?id=b", "y");
        }

        await using var again = await PushQueueServer.StartAsync(options => options.Storage.DataDirectory = directory.Path);
        var look = await again.GetAsync("/q/test/messages/a");
        using var take = await again.Client.GetAsync("/q/test");
        using var other = await again.Client.GetAsync("/q/test");

        Assert.Equal(TraceParent, look.Json.GetProperty("traceparent").GetString());
        Assert.Equal(TraceParent, take.Headers.GetValues("traceparent").Single());
        Assert.False(other.Headers.Contains("traceparent"));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData(TraceParent + "0")]
    public async Task What_is_no_trace_context_is_ignored(string header)
    {
        await using var server = await PushQueueServer.StartAsync();
        using var put = new HttpRequestMessage(HttpMethod.Post, "/q/test") { Content = new StringContent("x") };
        put.Headers.TryAddWithoutValidation("traceparent", header);

        Assert.Equal(201, (await server.SendAsync(put)).Status);

        using var take = await server.Client.GetAsync("/q/test");
        Assert.False(take.Headers.Contains("traceparent"));
    }

    [Fact]
    public async Task Put_lease_and_ack_are_one_trace_of_linked_spans()
    {
        var queue = $"traced-{Random.Shared.NextInt64()}";
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == MessageTracing.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.GetTagItem("messaging.destination.name") as string == queue)
                {
                    spans.Enqueue(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await PushQueueServer.StartAsync();
        using var put = new HttpRequestMessage(HttpMethod.Post, $"/q/{queue}?id=a") { Content = new StringContent("x") };
        put.Headers.Add("traceparent", TraceParent);
        await server.SendAsync(put);

        using var lease = await server.Client.GetAsync($"/q/{queue}?ttr=60");
        await server.PostAsync($"/q/{queue}/messages/a/ack?receipt={lease.Headers.GetValues("PushQueue-Receipt").Single()}");

        Assert.Equal([$"put {queue}", $"lease {queue}", $"ack {queue}"], spans.Select(static span => span.OperationName));
        var (first, second, third) = (spans.ElementAt(0), spans.ElementAt(1), spans.ElementAt(2));
        Assert.All(spans, static span => Assert.Equal("a", span.GetTagItem("messaging.message.id")));
        Assert.Equal(first.Id, lease.Headers.GetValues("traceparent").Single());
        Assert.Equal(first.SpanId, second.ParentSpanId);
        Assert.Equal(second.SpanId, third.ParentSpanId);
        Assert.Equal(first.TraceId, third.TraceId);
        Assert.Contains(third.Links, link => link.Context.SpanId == second.SpanId);
    }
}
