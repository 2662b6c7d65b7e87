using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

public sealed class DialectOutageTests
{
    [Theory]
    [InlineData("/restmq/q/test", "value=x", "application/x-www-form-urlencoded", "text/plain")]
    [InlineData("/presque/q/test", "{}", "application/json", "application/json")]
    [InlineData("/redisched/t/test/put", """{"id":"a","body":1,"expiration":1}""", "application/json", "application/json")]
    public async Task While_the_store_is_away_a_put_is_told_to_come_again(string path, string body, string contentType, string answerType)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await PushQueueServer.StartAsync(options => options.Storage.Redis = redis.Address);
        Assert.InRange((await server.PostAsync(path, body, contentType)).Status, 200, 201);

        await redis.KillAsync();

        var answer = await server.PostAsync(path, body, contentType);
        Assert.Equal((503, answerType), (answer.Status, answer.ContentType));
        Assert.Equal("2", answer.Headers["Retry-After"]);
        Assert.DoesNotContain(redis.Address, answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/sse/test")]
    [InlineData("/c/test")]
    [InlineData("/restmq/sse/test")]
    public async Task While_the_store_is_away_an_event_source_gets_a_stream_that_tells_it_to_come_again(string path)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var server = await PushQueueServer.StartAsync(options => options.Storage.Redis = redis.Address);
        await redis.KillAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", "text/event-stream" } } };

        var answer = await server.SendAsync(request);
        var plain = await server.GetAsync("/j/test");

        Assert.Equal((200, "text/event-stream"), (answer.Status, answer.ContentType));
        Assert.Matches("^retry: [0-9]{4}\nevent: close\ndata: \\{\"event\":\"close\",\"code\":\"store-unavailable\"", answer.Text);
        Assert.DoesNotContain(redis.Address, answer.Text, StringComparison.Ordinal);
        Assert.Equal(503, plain.Status);
        Assert.DoesNotContain(redis.Address, plain.Text, StringComparison.Ordinal);
    }
}
