using System.Net;
using PushQueue.Diagnostics;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

/// <summary>GET /nodes and /events, and the routes that show a message without taking it.</summary>
public sealed class NodeTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_node_says_what_it_is_and_takes_up()
    {
        using var listener = await _server.Client.GetAsync("/sse/test", HttpCompletionOption.ResponseHeadersRead).WithTimeout();

        var node = Assert.Single((await _server.GetAsync("/nodes")).Json.GetProperty("nodes").EnumerateArray().ToArray());

        Assert.StartsWith("embedded log in", node.GetProperty("store").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, node.GetProperty("connections").GetProperty("sse").GetInt32());
        Assert.Equal(1, node.GetProperty("consumers").GetInt32());
        Assert.True(node.GetProperty("disk").GetProperty("usedBytes").GetInt64() > 0);
    }

    [Fact]
    public async Task Notable_events_are_listed_newest_first_and_what_repeats_is_counted()
    {
        await _server.PostAsync("/control/test", """{"status":"stop"}""", "application/json");
        await _server.PostAsync("/control/test", """{"status":"start"}""", "application/json");
        await _server.PostAsync("/control/test", """{"status":"stop"}""", "application/json");
        await _server.SendAsync("DELETE", "/q/test");

        var events = (await _server.GetAsync("/events")).Json.GetProperty("events").EnumerateArray().ToArray();
        Assert.Equal(
            ["queue-deleted", "settings-changed", "settings-changed", "started"],
            events.Select(found => found.GetProperty("code").GetString()));
        Assert.Equal(2, events[2].GetProperty("count").GetInt32());

        var version = events[2].GetProperty("version").GetInt64();
        Assert.Equal(1, (await _server.GetAsync($"/events?after={version}")).Json.GetProperty("events").GetArrayLength());
        Assert.Equal("bad-option", (await _server.GetAsync("/events?after=x")).Problem);
    }

    [Fact]
    public void Events_are_bounded()
    {
        var events = new NodeEvents(TimeProvider.System);
        for (var i = 0; i < NodeEvents.EventsMax * 2; i++)
        {
            events.Add(NodeEventLevel.Info, "test", $"Event {i}.");
        }

        Assert.Equal(NodeEvents.EventsMax, events.Since(0, int.MaxValue).Count);
    }

    [Fact]
    public async Task A_body_is_shown_byte_for_byte_and_stays_where_it_is()
    {
        const string body = """{"n": 12345678901234567890,  "a":1.10}""";
        await _server.PostAsync("/q/test?id=a%2Fb", body, "application/json");

        var answer = await _server.GetAsync("/q/test/messages/a%2Fb/body");

        Assert.Equal((200, "application/json", body), (answer.Status, answer.ContentType, answer.Text));
        Assert.StartsWith("sandbox", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.Equal((int)HttpStatusCode.NotFound, (await _server.GetAsync("/q/test/messages/nope/body")).Status);
        Assert.Equal(1, (await _server.GetAsync("/j/test")).Json.GetProperty("ready").GetInt32());
    }

    [Fact]
    public async Task A_page_of_messages_can_be_asked_for_with_the_beginnings_of_their_bodies()
    {
        await _server.PostAsync("/q/test", "0123456789");

        var message = (await _server.GetAsync("/q/test/messages?preview=4")).Json.GetProperty("messages")[0];

        Assert.Equal(("0123", 10), (message.GetProperty("start").GetString(), message.GetProperty("bytes").GetInt32()));
        Assert.Equal("text/plain", message.GetProperty("contentType").GetString());
        Assert.False(message.TryGetProperty("body", out _));
        Assert.Equal("bad-option", (await _server.GetAsync("/q/test/messages?preview=x")).Problem);
    }
}
