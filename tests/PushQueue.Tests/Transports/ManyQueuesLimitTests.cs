using PushQueue.Security;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Limits and rights of streams over many queues, and streams over several nodes.</summary>
public sealed class ManyQueuesLimitTests(SharedRedis redis)
{
    [Fact]
    public async Task A_pattern_that_matches_more_than_a_thousand_queues_is_refused_and_the_next_queue_of_a_full_stream_is_reported()
    {
        await using var server = await PushQueueServer.StartAsync();
        for (var i = 0; i < 1000; i++)
        {
            await server.PostAsync($"/p/m.{i}?policy=broadcast");
        }

        await using var stream = await ManyStream.OpenAsync(server, "c", "match=m.*");
        await server.PostAsync("/q/m.more", "left out");
        var notice = await stream.NextAsync();
        var refused = await server.GetAsync("/c?match=*");
        await server.SendAsync("DELETE", "/q/m.7");
        var left = await stream.NextAsync();
        var joined = await stream.NextAsync();
        await server.PostAsync("/q/m.more", "now");

        Assert.Equal(1000, stream.Queues.Count);
        Assert.Equal(("m.more", "stream-full"), (notice.GetProperty("queue").GetString(), notice.GetProperty("code").GetString()));
        Assert.Equal((429, "too-many-subscriptions"), (refused.Status, refused.Problem));
        Assert.Equal(("m.7", "queue-deleted"), (left.GetProperty("queue").GetString(), left.GetProperty("code").GetString()));
        Assert.Equal(("m.more", "subscribed"), (joined.GetProperty("queue").GetString(), joined.GetProperty("event").GetString()));
        Assert.Equal(["m.more:left out", "m.more:now"], await stream.NextMessagesAsync(2));
    }

    [Theory]
    [InlineData("c")]
    [InlineData("command")]
    [InlineData("consume")]
    public async Task A_stream_has_no_more_queues_than_a_connection_may_subscribe_to(string transport)
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Delivery.SubscriptionsPerConnectionMax = 3);
        server.Log.ExpectError("hub method 'Consume'"); // SignalR's own entry, which the host switches off
        foreach (var queue in new[] { "m.1", "m.2" })
        {
            await server.PostAsync($"/p/{queue}?policy=broadcast");
        }

        await using var stream = await ManyStream.OpenAsync(server, transport, "queue=a&match=m.*");
        await server.PostAsync("/q/m.3", "left out");
        var full = await stream.NextAsync();
        var named = await server.GetAsync("/c?queue=a&queue=b&queue=c&queue=d");
        var matched = await server.GetAsync("/c?queue=a&queue=b&match=m.*");

        Assert.Equal(("m.3", "stream-full"), (full.GetProperty("queue").GetString(), full.GetProperty("code").GetString()));
        Assert.Equal((429, "too-many-subscriptions"), (named.Status, named.Problem));
        Assert.Equal((429, "too-many-subscriptions"), (matched.Status, matched.Problem));
        if (transport == "consume")
        {
            await stream.SayAsync("{\"type\":4,\"invocationId\":\"d\",\"target\":\"Consume\",\"arguments\":[\"more\",{}]}\u001e");
            Assert.Contains("too-many-subscriptions", (await stream.NextAsync()).ToString(), StringComparison.Ordinal);
        }
        else if (transport == "command")
        {
            await stream.SayAsync("""{"cmd":"subscribe","queue":"more"}""");
            Assert.Contains("too-many-subscriptions", (await stream.NextAsync()).ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("sse")]
    [InlineData("command")]
    public async Task A_pattern_shows_what_the_key_may_listen_to_and_a_change_of_rights_acts_at_once(string transport)
    {
        using var keys = new KeyRing();
        var all = keys.Add(Permissions.Any);
        var key = keys.Add(Permissions.Listen, "m.a");
        await using var server = await PushQueueServer.StartAsync(options => options.Security.AccessFile = keys.Path);
        server.Client.DefaultRequestHeaders.Add("Authorization", $"Bearer {all}");
        foreach (var queue in new[] { "m.a", "m.b", "m.c" })
        {
            await server.PostAsync($"/p/{queue}?policy=broadcast");
        }

        await using var stream = await ManyStream.OpenAsync(server, transport, "match=m.*", key: key);
        await server.PostAsync("/q/m.b", "hidden");
        await server.PostAsync("/q/m.a", "shown");
        Assert.Equal(["m.a"], stream.Queues);
        Assert.Equal(["m.a:shown"], await stream.NextMessagesAsync(1));

        keys.Grant(key, Permissions.Listen, "m.b");
        var first = await stream.NextAsync();
        var second = await stream.NextAsync();
        var events = new[] { first, second }.Select(static one => $"{one.GetProperty("event")} {one.GetProperty("queue")}").Order();
        Assert.Equal(["close m.a", "subscribed m.b"], events);
        await server.PostAsync("/q/m.b", "shown now");
        var next = new List<string>();
        while (!next.Contains("m.b:shown now"))
        {
            next.AddRange(await stream.NextMessagesAsync(1));
        }
    }

    [Fact]
    public async Task A_name_that_the_key_may_not_listen_to_is_refused()
    {
        using var keys = new KeyRing();
        var key = keys.Add(Permissions.Listen, "a");
        await using var server = await PushQueueServer.StartAsync(options => options.Security.AccessFile = keys.Path);
        server.Client.DefaultRequestHeaders.Add("Authorization", $"Bearer {key}");

        var answer = await server.GetAsync("/c?queue=a&queue=b");

        Assert.Equal((403, "forbidden"), (answer.Status, answer.Problem));
        Assert.Contains("'b'", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_that_is_made_at_another_node_joins_with_its_first_message_and_a_stream_resumes_at_another_node()
    {
        var store = await redis.OptionsAsync();
        void Share(PushQueueOptions options)
        {
            options.Storage.Redis = store.Configuration;
            options.Storage.RedisKeyPrefix = store.KeyPrefix;
        }

        await using var one = await PushQueueServer.StartAsync(Share);
        await using var two = await PushQueueServer.StartAsync(Share);
        await using var stream = await ManyStream.OpenAsync(one, "sse", "queue=a&match=m.*");
        await using var others = await ManyStream.OpenAsync(two, "sse", "queue=a&match=m.*");
        await two.PostAsync("/q/m.1", "first");
        await two.PostAsync("/q/a", "second");
        await one.PostAsync("/q/m.1", "third");
        var got = await ReadAsync(stream, 3);
        await stream.ReadCursorAsync();
        await stream.DisposeAsync();
        await one.PostAsync("/q/m.2", "fourth");
        await one.PostAsync("/q/m.1", "fifth");
        _ = await ReadAsync(others, 5);

        await using var again = await ManyStream.OpenAsync(two, "sse", "queue=a&match=m.*", stream);

        Assert.Equal(["a:second", "m.1:first", "m.1:third"], got.Order());
        Assert.Equal(["m.1:fifth", "m.2:fourth"], (await ReadAsync(again, 2)).Order());
    }

    private static async Task<List<string>> ReadAsync(ManyStream stream, int count)
    {
        var messages = new List<string>();
        while (messages.Count < count)
        {
            var next = await stream.NextAsync();
            if (!next.TryGetProperty("event", out var kind))
            {
                messages.Add(ManyStream.TextOf(next));
                continue;
            }

            Assert.Equal("subscribed", kind.GetString());
        }

        return messages;
    }
}
