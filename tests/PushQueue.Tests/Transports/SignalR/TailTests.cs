using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.SignalR;

/// <summary>The live tail: copies for onlookers, nothing taken from anybody.</summary>
public sealed class TailTests : IAsyncLifetime
{
    private readonly Queue<JsonElement> _seen = new();

    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("broadcast")]
    [InlineData("roundrobin")]
    public async Task An_onlooker_sees_what_is_put_and_given_and_takes_nothing(string policy)
    {
        await _server.PostAsync("/p/test", $$"""{"policy":"{{policy}}"}""", "application/json");
        await using var tail = await TailAsync();
        await _server.PostAsync("/q/test?id=a&priority=3", "first");
        var put = await NextEventAsync(tail, "put");
        Assert.Equal(("a", "first", 5, 3), (Text(put, "id"), Text(put, "start"), Number(put, "bytes"), Number(put, "priority")));
        Assert.Equal(1, (await _server.GetAsync("/j/test")).Json.GetProperty("ready").GetInt32());

        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/ws/test"), CancellationToken.None).WithTimeout();
        Assert.Contains("\"id\":\"a\"", await socket.NextAsync(), StringComparison.Ordinal);

        // Under broadcast it is over with the message before it is handed out.
        var events = await NextEventsAsync(tail, 2);
        Assert.Equal(["done", "given"], events.Select(seen => Text(seen, "event")!).Order(StringComparer.Ordinal).ToArray());
        var given = events.Single(seen => Text(seen, "event") == "given");
        Assert.Equal(("a", "first"), (Text(given, "id"), Text(given, "start")));
    }

    [Fact]
    public async Task Takes_leases_acks_returns_and_dead_letters_are_seen()
    {
        await using var tail = await TailAsync();
        await _server.PostAsync("/q/test/batch", "1\n2", "application/x-ndjson");
        await _server.GetAsync("/q/test");
        Assert.Equal("take", Text(await NextEventAsync(tail, "given"), "note"));

        var leased = await _server.GetAsync("/q/test?ttr=30&worker=w");
        Assert.Equal("lease by w", Text(await NextEventAsync(tail, "given"), "note"));
        await _server.PostAsync($"/q/test/messages/2/release?receipt={leased.Headers["PushQueue-Receipt"]}");
        _ = await NextEventAsync(tail, "returned");
        await _server.SendAsync("DELETE", "/q/test/messages/2");
        Assert.Equal("cancelled", Text(await NextEventAsync(tail, "ended"), "note"));
    }

    [Fact]
    public async Task The_key_and_the_headers_of_a_message_are_seen_when_it_is_put_and_when_it_is_given()
    {
        await using var tail = await TailAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/q/test?key=customer-7") { Content = new StringContent("x") };
        request.Headers.Add("PushQueue-Header-Tenant", "7");
        using var answer = await _server.Client.SendAsync(request).WithTimeout();
        var put = await NextEventAsync(tail, "put");
        await _server.GetAsync("/q/test");
        var given = await NextEventAsync(tail, "given");

        foreach (var seen in new[] { put, given })
        {
            Assert.Equal("customer-7", Text(seen, "key"));
            Assert.Equal("""{"tenant":"7"}""", seen.GetProperty("headers").GetRawText());
        }
    }

    [Fact]
    public async Task Only_the_beginning_of_a_body_is_copied_cut_between_characters_and_bytes_that_are_no_text_are_base64()
    {
        await using var tail = await TailAsync();
        await _server.PostAsync("/q/test", "x" + string.Concat(Enumerable.Repeat("ä", MessageTail.StartBytesMax)));

        var cut = await NextEventAsync(tail, "put");
        Assert.Equal((MessageTail.StartBytesMax * 2) + 1, Number(cut, "bytes"));
        Assert.Equal(MessageTail.StartBytesMax / 2, Text(cut, "start")!.Length);

        using var binary = await _server.Client.PostAsync("/q/test", new ByteArrayContent([0xFF, 0x00])).WithTimeout();
        var encoded = await NextEventAsync(tail, "put");
        Assert.Equal(("base64", "/wA="), (Text(encoded, "encoding"), Text(encoded, "start")));
    }

    [Fact]
    public async Task What_an_onlooker_has_no_room_for_is_counted_and_holds_nobody_up()
    {
        var tails = _server.Services.GetRequiredService<MessageTails>();
        var tail = tails.Open(QueueName.Parse("test"));

        await _server.PostAsync(
            "/q/test/batch", string.Join('\n', Enumerable.Range(1, MessageTail.EventsMax + 10)), "application/x-ndjson");

        Assert.Equal(10, tail.TakeMissed());
        tails.Close(tail);
        Assert.False(tails.Watches(QueueName.Parse("test")));
    }

    [Fact]
    public async Task A_tail_that_ends_is_taken_off()
    {
        var tails = _server.Services.GetRequiredService<MessageTails>();
        var tail = await TailAsync();
        Assert.True(tails.Watches(QueueName.Parse("test")));

        await tail.DisposeAsync();

        await Eventually.TrueAsync(() => !tails.Watches(QueueName.Parse("test")), "the tail is gone");
    }

    private async Task<HubWatchClient> TailAsync()
    {
        var tail = await HubWatchClient.OpenAsync(_server, "Tail", "test");
        Assert.Equal(0, (await tail.NextAsync()).GetProperty("events").GetArrayLength());
        return tail;
    }

    private async Task<List<JsonElement>> NextEventsAsync(HubWatchClient tail, int count)
    {
        while (_seen.Count < count)
        {
            await ReadAsync(tail);
        }

        return [.. Enumerable.Range(0, count).Select(_ => _seen.Dequeue())];
    }

    private async Task ReadAsync(HubWatchClient tail)
    {
        foreach (var next in (await tail.NextAsync()).GetProperty("events").EnumerateArray())
        {
            _seen.Enqueue(next);
        }
    }

    private async Task<JsonElement> NextEventAsync(HubWatchClient tail, string kind)
    {
        while (true)
        {
            while (_seen.TryDequeue(out var seen))
            {
                if (Text(seen, "event") == kind)
                {
                    return seen;
                }
            }

            await ReadAsync(tail);
        }
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();
}
