using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Client.SignalR;
using PushQueue.Delivery;
using PushQueue.Tests.Support;
using PushQueue.Transports;
using Xunit;

namespace PushQueue.Tests.Transports.Watching;

/// <summary>Presence on one node: who is connected to a queue, and who comes and leaves.</summary>
public sealed class PresenceTests : IAsyncLifetime
{
    private const string Ann = """{"name":"ann"}""";

    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("/c/test")]
    [InlineData("/sse/test")]
    public async Task A_stream_is_listed_with_its_transport_its_worker_and_what_it_says_of_itself(string path)
    {
        using var stream = await ListenAsync($"{path}?worker=w&who={Uri.EscapeDataString(Ann)}");

        var json = (await _server.GetAsync("/q/test/presence")).Json;

        Assert.Equal(("test", 1), (json.GetProperty("queue").GetString(), json.GetProperty("count").GetInt32()));
        var consumer = Assert.Single(json.GetProperty("consumers").EnumerateArray());
        Assert.Equal(path.StartsWith("/c", StringComparison.Ordinal) ? "comet" : "sse", consumer.GetProperty("transport").GetString());
        Assert.Equal("w", consumer.GetProperty("worker").GetString());
        Assert.Equal("ann", consumer.GetProperty("who").GetProperty("name").GetString());
        Assert.False(consumer.TryGetProperty("remoteAddress", out _));
        Assert.Equal(Ann, (await _server.GetAsync("/q/test/consumers")).Json.GetProperty("consumers")[0].GetProperty("who").GetRawText());
    }

    [Theory]
    [InlineData("""{"name":"ann"}""")]
    [InlineData("\"{\\\"name\\\":\\\"ann\\\"}\"")]
    public async Task Who_may_be_an_object_or_its_text_in_a_command_and_in_a_hub_call(string who)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/ws"), CancellationToken.None).WithTimeout();
        await socket.SendAsync($$"""{"cmd":"subscribe","queue":"test","who":{{who}}}""");
        _ = await socket.NextAsync();
        await using var hub = await HubSubscribeAsync(who);

        var consumers = (await _server.GetAsync("/q/test/presence")).Json.GetProperty("consumers");

        Assert.Equal(["ann", "ann"], consumers.EnumerateArray().Select(seen => seen.GetProperty("who").GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData("ann")]
    [InlineData("[]")]
    [InlineData("{\"a\":}")]
    [InlineData("{\"a\":1} {}")]
    [InlineData("")]
    public async Task Who_that_is_not_a_JSON_object_is_refused(string who)
    {
        var answer = await _server.GetAsync($"/c/test?who={Uri.EscapeDataString(who)}");

        Assert.Equal("bad-option", answer.Problem);
    }

    [Fact]
    public async Task Who_is_at_most_a_kilobyte()
    {
        var longest = $"{{\"a\":\"{new string('x', ConsumerOptions.WhoBytesMax - 8)}\"}}";
        using (await ListenAsync($"/c/test?who={Uri.EscapeDataString(longest)}"))
        {
            var answer = await _server.GetAsync(
                $"/c/test?who={Uri.EscapeDataString(longest.Replace("xx", "xxx", StringComparison.Ordinal))}");
            Assert.Equal(400, answer.Status);
        }
    }

    [Fact]
    public async Task A_watcher_over_the_hub_gets_the_state_and_then_each_change()
    {
        using var first = await ListenAsync("/c/test");
        await using var watch = await HubWatchClient.OpenAsync(_server, "WatchPresence", "test");
        Assert.Equal(("state", 1), Summary(await watch.NextAsync()));

        var second = await ListenAsync($"/c/test?who={Uri.EscapeDataString(Ann)}");
        var joined = await watch.NextAsync();
        Assert.Equal(("joined", 2), Summary(joined));
        Assert.Equal("ann", joined.GetProperty("consumer").GetProperty("who").GetProperty("name").GetString());
        second.Dispose();
        Assert.Equal(("left", 1), Summary(await watch.NextAsync()));

        await _server.PostAsync("/q/test", "a");
        await _server.SendAsync("PATCH", "/q/test/settings", """{"maxAttempts":3}""", "application/json");
        var settings = await watch.NextAsync(item => item.GetProperty("event").GetString() == "settings");
        Assert.Equal(3, settings.GetProperty("settings").GetProperty("maxAttempts").GetInt32());
        await _server.SendAsync("DELETE", "/q/test");
        _ = await watch.NextAsync(item => item.GetProperty("event").GetString() == "deleted");
    }

    [Fact]
    public async Task A_watcher_over_server_sent_events_gets_the_same_events_by_their_names()
    {
        using var stream = await ListenAsync("/sse/test/presence");
        Assert.Equal("text/event-stream", stream.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync());
        Assert.Equal("state", await NextAsync(lines));

        using (await ListenAsync("/c/test"))
        {
            Assert.Equal("joined", await NextAsync(lines));
        }

        Assert.Equal("left", await NextAsync(lines));
    }

    [Fact]
    public async Task Watchers_are_counted_and_gone_when_they_leave()
    {
        var places = _server.Services.GetRequiredService<WatcherPlaces>();
        var watch = await HubWatchClient.OpenAsync(_server, "WatchPresence", "test");
        _ = await watch.NextAsync();
        var stream = await ListenAsync("/sse/test/presence");
        Assert.Equal(2, places.Count);

        await watch.DisposeAsync();
        stream.Dispose();

        await Eventually.TrueAsync(() => places.Count == 0, "both places are free again");
    }

    [Theory]
    [InlineData("/q/test/presence?x=1")]
    [InlineData("/sse/test/presence?x=1")]
    [InlineData("/sse/test/presence?from=earliest")]
    public async Task An_option_that_presence_does_not_have_is_refused(string path)
    {
        Assert.Equal("bad-option", (await _server.GetAsync(path)).Problem);
    }

    [Theory]
    [InlineData("/q/test/presence")]
    [InlineData("/sse/test/presence")]
    public async Task Other_methods_are_refused_with_the_right_one(string path)
    {
        var answer = await _server.PostAsync(path);

        Assert.Equal(405, answer.Status);
    }

    private static (string?, int) Summary(JsonElement item) =>
        (item.GetProperty("event").GetString(), item.GetProperty("count").GetInt32());

    private static async Task<string> NextAsync(StreamReader lines)
    {
        while (true)
        {
            if (await lines.ReadLineAsync().WithTimeout() is var line && line!.StartsWith("event: ", StringComparison.Ordinal)
                && line != "event: heartbeat")
            {
                return line["event: ".Length..];
            }
        }
    }

    private async Task<IAsyncDisposable> HubSubscribeAsync(string who)
    {
        var connection = new HubConnectionBuilder().WithPushQueue(_server.Address).Build();
        await connection.StartAsync().WithTimeout();
        await connection.InvokeCoreAsync(
            "Subscribe", typeof(object), ["test", JsonSerializer.Deserialize<JsonElement>($"{{\"who\":{who}}}")]).WithTimeout();
        return connection;
    }

    private Task<HttpResponseMessage> ListenAsync(string path) =>
        _server.Client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
}
