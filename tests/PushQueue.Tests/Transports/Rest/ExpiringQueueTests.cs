using Microsoft.Extensions.DependencyInjection;
using PushQueue.Delivery;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

/// <summary>Queues and workers that nobody uses go away, as clients see it.</summary>
public sealed class ExpiringQueueTests : IAsyncLifetime
{
    private readonly TestTimeProvider _time = new();
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync(
        static options =>
        {
            options.Queues.Expires.Add(new QueueExpiry("reply.*", TimeSpan.FromMinutes(1)));
            options.Queues.WorkerAgeMax = TimeSpan.FromMinutes(2);
        },
        _time);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("\"1h\"", "1h")]
    [InlineData("\"90m\"", "90m")]
    [InlineData("3600", "1h")]
    [InlineData("\"0\"", "0")]
    [InlineData("0", "0")]
    public async Task Expires_is_a_setting(string given, string shown)
    {
        var patched = await _server.SendAsync("PATCH", "/q/test/settings", $$"""{"expires":{{given}}}""", "application/json");

        Assert.Equal((200, shown), (patched.Status, patched.Json.GetProperty("expires").GetString()));
        Assert.Equal(shown, (await _server.GetAsync("/q/test/settings")).Json.GetProperty("expires").GetString());
    }

    [Theory]
    [InlineData("\"59s\"")]
    [InlineData("1")]
    [InlineData("\"-1h\"")]
    [InlineData("\"soon\"")]
    [InlineData("\"11000d\"")]
    [InlineData("true")]
    public async Task An_impossible_time_is_refused_and_changes_nothing(string given)
    {
        var refused = await _server.SendAsync("PATCH", "/q/test/settings", $$"""{"ttr":"7s","expires":{{given}}}""", "application/json");

        Assert.Equal((400, "bad-option"), (refused.Status, refused.Json.GetProperty("type").GetString()));
        Assert.Equal(404, (await _server.GetAsync("/j/test")).Status);
    }

    [Fact]
    public async Task A_queue_per_reply_goes_when_nobody_uses_it_and_others_stay()
    {
        for (var i = 0; i < 50; i++)
        {
            await _server.PostAsync($"/q/reply.{i}", "x");
        }

        await _server.PostAsync("/q/orders", "x");
        _time.Advance(TimeSpan.FromMinutes(11));

        Assert.Equal(1, (await _server.GetAsync("/q")).Json.GetProperty("total").GetInt32());
        Assert.Equal(404, (await _server.GetAsync("/j/reply.7")).Status);
        Assert.Equal(1, (await _server.GetAsync("/stats")).Json.GetProperty("queues").GetInt32());
    }

    [Fact]
    public async Task A_put_that_waits_learns_that_its_queue_went()
    {
        await _server.SendAsync("PATCH", "/q/test/settings", """{"expires":"1m","policy":"roundrobin"}""", "application/json");
        var put = _server.PostAsync("/q/test?waitForAck=60", "x");
        await Eventually.TrueAsync(
            async () => (await _server.GetAsync("/j/test")).Json.GetProperty("ready").GetInt32() == 1, "the message is there");

        _time.Advance(TimeSpan.FromMinutes(1));
        var answer = await put.WithTimeout();

        // The wait may end in the same moment as the queue.
        Assert.True(answer.Status is 202 || answer.Json.GetProperty("type").GetString() == "queue-deleted", answer.Text);
    }

    [Theory]
    [InlineData("/c/reply.1")]
    [InlineData("/sse/reply.1")]
    [InlineData("/sse/reply.1?ack=manual")]
    [InlineData("/restmq/c/reply.1")]
    public async Task A_queue_with_a_consumer_stays_and_goes_after_it_has_left(string path)
    {
        await _server.PostAsync("/q/reply.1", "x");
        using (var stream = await _server.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead).WithTimeout())
        {
            Assert.Equal(200, (int)stream.StatusCode);
            await PassAsync(TimeSpan.FromMinutes(5));
            Assert.Equal(200, (await _server.GetAsync("/j/reply.1")).Status);
        }

        await Eventually.TrueAsync(async () =>
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            return (await _server.GetAsync("/j/reply.1")).Status == 404;
        }, "the queue goes");
    }

    [Fact]
    public async Task Workers_that_are_not_seen_any_more_leave_the_list()
    {
        await _server.GetAsync("/q/test?worker=gone");
        using var stream = await _server.Client.GetAsync(
            "/c/test?ack=manual&worker=streams", HttpCompletionOption.ResponseHeadersRead).WithTimeout();

        await PassAsync(TimeSpan.FromMinutes(1.8));
        await _server.GetAsync("/q/test?worker=polls");
        Assert.Contains("gone", await WorkersAsync());
        await PassAsync(TimeSpan.FromMinutes(0.5));

        await Eventually.TrueAsync(async () => await WorkersAsync() == "polls streams", "only the workers that are there are listed");
        Assert.Equal(2, (await _server.GetAsync("/stats")).Json.GetProperty("node").GetProperty("workers").GetInt32());
    }

    /// <summary>Time passes in steps, in which the connections write what they have to: else they would count as stalled.</summary>
    private async Task PassAsync(TimeSpan duration)
    {
        var registry = _server.Services.GetRequiredService<ConsumerRegistry>();
        for (var passed = TimeSpan.Zero; passed < duration; passed += TimeSpan.FromSeconds(5))
        {
            _time.Advance(TimeSpan.FromSeconds(5));

            // The timers began work on other threads. That work runs before the server answers this request.
            await _server.GetAsync("/healthz");
            await Eventually.TrueAsync(() => registry.Buffers.All(static buffer => buffer.HeldBytes == 0), "all is written");
        }
    }

    private async Task<string> WorkersAsync() =>
        string.Join(' ', (await _server.GetAsync("/w")).Json.GetProperty("workers").EnumerateArray()
        .Select(static worker => worker.GetProperty("worker").GetString()));
}
