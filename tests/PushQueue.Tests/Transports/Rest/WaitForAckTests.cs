using System.Net.WebSockets;
using System.Text.Json;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

/// <summary>Puts that wait for the ack, over REST, the JSON protocol and the hub.</summary>
public sealed class WaitForAckTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task An_acked_message_answers_200_with_its_worker()
    {
        var put = _server.PostAsync("/q/test?waitForAck=30", "work");
        var lease = await _server.GetAsync("/q/test?wait=20&ttr=30&worker=w");
        Assert.False(put.IsCompleted);

        await _server.PostAsync($"/q/test/messages/1/ack?receipt={lease.Headers["PushQueue-Receipt"]}");

        var answer = await put;
        Assert.Equal(200, answer.Status);
        Assert.Equal("""{"queue":"test","id":"1","durability":"memory","acked":true,"worker":"w","attempts":1}""", answer.Text);
        Assert.EndsWith("/q/test/messages/1", answer.Headers["Location"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_take_counts_as_an_ack()
    {
        var put = _server.PostAsync("/q/test?waitForAck=30&id=a", "work");
        await _server.GetAsync("/q/test?wait=20");

        Assert.Equal((200, true), ((await put).Status, (await put).Json.GetProperty("acked").GetBoolean()));
    }

    [Fact]
    public async Task Other_ends_are_problems_and_a_long_wait_is_202()
    {
        var dead = _server.PostAsync("/q/test?waitForAck=30&maxAttempts=1", "work");
        var lease = await _server.GetAsync("/q/test?wait=20&ttr=30");
        await _server.PostAsync($"/q/test/messages/1/release?receipt={lease.Headers["PushQueue-Receipt"]}");
        Assert.Equal((409, "dead-lettered"), ((await dead).Status, (await dead).Problem));

        Assert.Equal("expired", (await _server.PostAsync("/q/test?waitForAck=30&ttl=50ms", "work")).Problem);

        var cancelled = _server.PostAsync("/q/test?waitForAck=30&id=c", "work");
        await Eventually.TrueAsync(
            async () => (await _server.SendAsync("DELETE", "/q/test/messages/c")).Status == 204,
            "it can be cancelled");
        Assert.Equal("cancelled", (await cancelled).Problem);

        var deleted = _server.PostAsync("/q/gone?waitForAck=30", "work");
        await Eventually.TrueAsync(async () => (await _server.GetAsync("/j/gone")).Status == 200, "the queue is there");
        Assert.Equal(204, (await _server.SendAsync("DELETE", "/q/gone")).Status);
        Assert.Equal((409, "queue-deleted"), ((await deleted).Status, (await deleted).Problem));

        var hurried = await _server.PostAsync("/q/test?waitForAck=0&id=h", "work");
        Assert.Equal((202, false), (hurried.Status, hurried.Json.GetProperty("acked").GetBoolean()));

        var late = await _server.PostAsync("/q/test?waitForAck=50ms&id=l", "work");
        Assert.Equal((202, false), (late.Status, late.Json.GetProperty("acked").GetBoolean()));
        Assert.Equal("bad-option", (await _server.PostAsync("/q/test?waitForAck=61", "work")).Problem);
    }

    [Fact]
    public async Task One_socket_puts_waits_takes_and_acks()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/ws"), CancellationToken.None);

        await socket.SendAsync("""{"cmd":"put","queue":"test","value":1,"waitForAck":30,"ref":"p"}""");
        await socket.SendAsync("""{"cmd":"lease","queue":"test","ttr":30,"worker":"w","wait":20,"ref":"l"}""");
        var lease = JsonDocument.Parse(await socket.NextAsync()).RootElement.GetProperty("message");
        await socket.SendAsync(
            $$"""{"cmd":"ack","queue":"test","id":"1","receipt":"{{lease.GetProperty("receipt").GetString()}}","ref":"a"}""");

        var answers = new[] { await socket.NextAsync(), await socket.NextAsync() };
        Assert.Contains(answers, answer => answer.StartsWith("""{"ref":"a","ok":true""", StringComparison.Ordinal));
        Assert.Contains(
            """{"ref":"p","ok":true,"queue":"test","id":"1","durability":"memory","acked":true,"worker":"w","attempts":1}""",
            answers);
    }

    [Fact]
    public async Task One_hub_connection_puts_waits_and_takes()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}/hub"), CancellationToken.None);
        await socket.SendAsync("{\"protocol\":\"json\",\"version\":1}\u001e");
        _ = await socket.NextAsync();

        await socket.SendAsync(
            "{\"type\":1,\"invocationId\":\"p\",\"target\":\"Put\",\"arguments\":[\"test\",1,{\"waitForAck\":30}]}\u001e");
        await socket.SendAsync("{\"type\":1,\"invocationId\":\"t\",\"target\":\"Take\",\"arguments\":[\"test\",{\"wait\":20}]}\u001e");

        var answers = "";
        while (!answers.Contains("\"invocationId\":\"p\"", StringComparison.Ordinal)
            || !answers.Contains("\"invocationId\":\"t\"", StringComparison.Ordinal))
        {
            answers += await socket.NextAsync();
        }

        Assert.True(answers.Contains("\"acked\":true", StringComparison.Ordinal), answers);
    }
}
