using System.Net.WebSockets;
using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Consumers whose connection drops and that come back.</summary>
public sealed class GraceTests
{
    private static readonly QueueSettingsPatch RoundRobin = new() { Policy = DeliveryPolicy.RoundRobin };

    [Fact]
    public async Task Who_comes_back_in_time_gets_its_own_messages_first_under_the_same_receipts()
    {
        await using var server = await StartAsync();
        await server.PutAsync("1", "2", "3");
        var first = await server.ConnectAsync("/ws/test?ack=manual&prefetch=2&grace=1m");
        var token = TokenOf(await first.NextAsync(), resumed: 0);
        var held = new[] { await first.NextAsync(), await first.NextAsync() };
        first.Abort();
        await server.NobodyIsLeftAsync();
        Assert.Equal(2, (await server.Store.GetQueueAsync(server.Queue))!.Leased);

        using var second = await server.ConnectAsync($"/ws/test?ack=manual&prefetch=3&grace=1m&consumer={token}");

        Assert.Equal(token, TokenOf(await second.NextAsync(), resumed: 2, "kept"));
        Assert.Equal(held, new[] { await second.NextAsync(), await second.NextAsync() });
        Assert.Contains("\"body\":\"3\"", await second.NextAsync(), StringComparison.Ordinal);
        Assert.Equal([QueueError.None], await server.Store.AckAsync(server.Queue, [KeyOf(held[0])]));
    }

    [Fact]
    public async Task Who_does_not_come_back_loses_its_messages_after_the_grace_time_as_an_attempt()
    {
        await using var server = await StartAsync();
        await server.PutAsync("1");
        var first = await server.ConnectAsync("/ws/test?ack=manual&grace=200ms");
        var token = TokenOf(await first.NextAsync(), resumed: 0);
        Assert.Contains("\"attempt\":1", await first.NextAsync(), StringComparison.Ordinal);
        first.Abort();
        await Eventually.TrueAsync(async () => (await server.Store.GetQueueAsync(server.Queue))!.Ready == 1, "the message is ready again");

        using var late = await server.ConnectAsync($"/ws/test?ack=manual&grace=1m&consumer={token}");

        Assert.NotEqual(token, TokenOf(await late.NextAsync(), resumed: 0, "lost"));
        Assert.Contains("\"attempt\":2", await late.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_takes_a_place_whose_connection_still_stands_ends_that_one()
    {
        await using var server = await StartAsync();
        await server.PutAsync("1");
        using var first = await server.ConnectAsync("/ws/test?ack=manual&grace=1m");
        var token = TokenOf(await first.NextAsync(), resumed: 0);
        var held = await first.NextAsync();

        using var second = await server.ConnectAsync($"/ws/test?ack=manual&grace=1m&consumer={token}");

        Assert.Equal(token, TokenOf(await second.NextAsync(), resumed: 1, "kept"));
        Assert.Equal(held, await second.NextAsync());
        Assert.StartsWith("close 4005", await first.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_acked_or_cancelled_in_between_does_not_come_again()
    {
        await using var server = await StartAsync();
        await server.PutAsync("1", "2", "3");
        var first = await server.ConnectAsync("/ws/test?ack=manual&prefetch=3&grace=1m");
        var token = TokenOf(await first.NextAsync(), resumed: 0);
        var held = new[] { await first.NextAsync(), await first.NextAsync(), await first.NextAsync() };
        first.Abort();
        await server.NobodyIsLeftAsync();
        await server.Store.AckAsync(server.Queue, [KeyOf(held[0])]);
        await server.Store.CancelAsync(server.Queue, MessageId.Parse("2"));

        using var second = await server.ConnectAsync($"/ws/test?ack=manual&grace=1m&consumer={token}");

        TokenOf(await second.NextAsync(), resumed: 1, "kept");
        Assert.Equal(held[2], await second.NextAsync());
    }

    [Fact]
    public async Task Every_transport_tells_the_token_first()
    {
        await using var server = await StartAsync();
        using var lines = await server.ListenAsync("/c/test?ack=manual&grace=10s");
        TokenOf(await lines.NextLineAsync(), resumed: 0);
        using var events = await server.ListenAsync("/sse/test?ack=manual&grace=10s");
        Assert.Equal("event: subscribed", await events.NextLineAsync());
        TokenOf((await events.NextLineAsync())["data: ".Length..], resumed: 0);

        using var hub = await server.ConnectAsync("/hub");
        await hub.SendAsync("{\"protocol\":\"json\",\"version\":1}\u001e");
        _ = await hub.NextAsync();
        await hub.SendAsync("{\"type\":1,\"target\":\"Subscribe\",\"arguments\":[\"test\",{\"ack\":\"manual\",\"grace\":10}]}\u001e");
        Assert.StartsWith(
            "{\"type\":1,\"target\":\"subscribed\",\"arguments\":[{\"event\":\"subscribed\"",
            await hub.NextAsync(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/c/test?grace=10s")]
    [InlineData("/c/test?ack=manual&grace=1h")]
    [InlineData("/c/test?ack=manual&consumer=short")]
    [InlineData("/c/test?ack=manual&ttr=0")]
    [InlineData("/c/test?ack=manual&ttr=365d")]
    public async Task Wrong_options_are_refused(string path)
    {
        await using var server = await StartAsync();

        using var answer = await server.Http.GetAsync($"http://{server.Address}{path}");

        Assert.Equal(400, (int)answer.StatusCode);
        Assert.Contains("bad-option", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task<PushServer> StartAsync()
    {
        var server = await PushServer.StartAsync();
        await server.SetAsync(RoundRobin);
        return server;
    }

    private static string TokenOf(string json, int resumed, string? place = null)
    {
        var told = JsonDocument.Parse(json).RootElement;
        Assert.Equal("subscribed", told.GetProperty("event").GetString());
        Assert.Equal(resumed, told.GetProperty("resumed").GetInt32());
        Assert.Equal(place, told.TryGetProperty("place", out var said) ? said.GetString() : null);
        return told.GetProperty("token").GetString()!;
    }

    private static LeaseKey KeyOf(string envelope)
    {
        var json = JsonDocument.Parse(envelope).RootElement;
        Assert.True(Receipt.TryParse(json.GetProperty("receipt").GetString(), out var receipt));
        return new LeaseKey(MessageId.Parse(json.GetProperty("id").GetString()!), receipt);
    }
}
