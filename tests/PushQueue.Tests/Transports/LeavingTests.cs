using System.Net.WebSockets;
using System.Text.Json;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>
/// Consumers that leave of their own will: messages that they had not begun do not count as failed attempts, over every transport.
/// </summary>
public sealed class LeavingTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await PushQueueServer.StartAsync();
        await _server.SendAsync("PATCH", "/q/test/settings", """{"policy":"roundrobin","maxAttempts":9}""");
        await _server.PostAsync("/q/test/batch", "1\n2\n3\n", "application/x-ndjson");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_socket_says_with_unsubscribe_what_it_had_begun()
    {
        using var socket = await ConnectAsync("/ws");
        await socket.SendAsync("""{"cmd":"subscribe","queue":"test","ack":"manual","prefetch":3}""");
        _ = await socket.NextAsync();
        var begun = JsonDocument.Parse(await socket.NextAsync()).RootElement;

        // The other two may still be on their way.
        await socket.SendAsync($$"""{"cmd":"unsubscribe","queue":"test","started":[{{KeyOf(begun)}}],"ref":"u"}""");

        await AssertCountedAsync(begun.GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_wrong_list_is_refused_and_the_subscription_stays()
    {
        using var socket = await ConnectAsync("/ws");
        await socket.SendAsync("""{"cmd":"subscribe","queue":"test","ack":"manual","prefetch":1}""");
        _ = await socket.NextAsync();
        _ = await socket.NextAsync();

        await socket.SendAsync("""{"cmd":"unsubscribe","queue":"test","started":[1],"ref":"u"}""");

        Assert.StartsWith("""{"ref":"u","error":"bad-json",""", await socket.NextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, (await _server.GetAsync("/j/test")).Json.GetProperty("consumers").GetInt32());
    }

    [Theory]
    [InlineData("\"queue\":\"test\",\"typo\":1")]
    [InlineData("\"queue\":\"test\",\"prefetch\":5")]
    [InlineData("\"typo\":1")]
    [InlineData("\"match\":\"t*\"")]
    public async Task Unsubscribe_with_a_field_that_it_does_not_have_is_refused_and_the_subscription_stays(string fields)
    {
        using var socket = await ConnectAsync("/ws");
        await socket.SendAsync("""{"cmd":"subscribe","queue":"test","ack":"manual","prefetch":1}""");
        _ = await socket.NextAsync();
        _ = await socket.NextAsync();

        await socket.SendAsync($$"""{"cmd":"unsubscribe",{{fields}},"ref":"u"}""");

        Assert.StartsWith("""{"ref":"u","error":"bad-option",""", await socket.NextAsync(), StringComparison.Ordinal);
        Assert.Equal(1, (await _server.GetAsync("/j/test")).Json.GetProperty("consumers").GetInt32());
    }

    [Theory]
    [InlineData("[\"test\",{\"started\":[]}]", null)]
    [InlineData("[\"test\"]", "1")]
    public async Task A_hub_client_says_it_with_Unsubscribe(string arguments, string? counted)
    {
        using var socket = await ConnectAsync("/hub");
        await socket.SendAsync(HubSockets.Handshake);
        _ = await socket.NextAsync();
        await socket.CallAsync("s", "Subscribe", "\"test\",{\"ack\":\"manual\",\"prefetch\":3}");
        await UntilLeasedAsync(3);

        await socket.SendAsync($$"""{"type":1,"invocationId":"u","target":"Unsubscribe","arguments":{{arguments}}}""" + "\u001e");

        await AssertCountedAsync(counted);
    }

    [Theory]
    [InlineData("/c/test")]
    [InlineData("/sse/test")]
    public async Task Who_only_listens_leaves_by_its_token_and_its_stream_ends(string path)
    {
        using var answer = await _server.Client.GetAsync(
            path + "?ack=manual&prefetch=3&grace=1m",
            HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        using var stream = new StreamLines(await answer.Content.ReadAsStreamAsync());
        var token = await TokenAsync(stream);
        var begun = await NextEnvelopeAsync(stream);

        Assert.Equal(204, (await _server.PostAsync($"/q/test/leave?consumer={token}", $"[{KeyOf(begun)}]")).Status);

        var rest = await stream.ReadToEndAsync().WithTimeout();
        Assert.Contains("\"code\":\"normal\"", rest, StringComparison.Ordinal);
        Assert.Contains("\"reconnect\":false", rest, StringComparison.Ordinal);
        await AssertCountedAsync(begun.GetProperty("id").GetString());
        Assert.Equal("not-found", (await _server.PostAsync($"/q/test/leave?consumer={token}", "[]")).Problem);
    }

    [Fact]
    public async Task Who_leaves_while_its_connection_is_gone_waits_for_no_grace_time()
    {
        string token;
        using (var socket = await ConnectAsync("/ws/test?ack=manual&prefetch=3&grace=10m"))
        {
            token = JsonDocument.Parse(await socket.NextAsync()).RootElement.GetProperty("token").GetString()!;
            await UntilLeasedAsync(3);
            socket.Abort();
        }

        await Eventually.TrueAsync(
            async () =>
                (await _server.GetAsync("/j/test")).Json.GetProperty("consumers").GetInt32() == 0, "the connection is seen to be gone");
        Assert.Equal(3, await LeasedAsync());

        Assert.Equal(204, (await _server.PostAsync($"/q/test/leave?consumer={token}", "[]")).Status);

        await AssertCountedAsync(null);
    }

    [Theory]
    [InlineData("/q/test/leave", "[]", "bad-option")]
    [InlineData("/q/test/leave?consumer=x&now=1", "[]", "bad-option")]
    [InlineData("/q/test/leave?consumer=x", "", "bad-json")]
    [InlineData("/q/test/leave?consumer=x", "[]", "not-found")]
    public async Task A_wrong_leave_is_refused(string path, string body, string problem) =>
        Assert.Equal(problem, (await _server.PostAsync(path, body)).Problem);

    /// <summary>All come back; those that count as failed come the second time.</summary>
    /// <param name="counted">The id of the one that counts; null for none.</param>
    private async Task AssertCountedAsync(string? counted)
    {
        await Eventually.TrueAsync(
            async () => (await _server.GetAsync("/j/test")).Json.GetProperty("ready").GetInt32() == 3, "all messages are ready again");
        var leases = (await _server.GetAsync("/q/test/batch?count=3&ttr=1m")).Json.EnumerateArray().ToList();
        Assert.All(leases, lease =>
        {
            var id = lease.GetProperty("id").GetString();
            Assert.Equal(id == counted ? 2 : 1, lease.GetProperty("attempt").GetInt32());
        });
    }

    private async Task<int> LeasedAsync() => (await _server.GetAsync("/j/test")).Json.GetProperty("leased").GetInt32();

    private Task UntilLeasedAsync(int count) => Eventually.TrueAsync(async () => await LeasedAsync() == count, "the messages are pushed");

    private async Task<ClientWebSocket> ConnectAsync(string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
        return socket;
    }

    private static async Task<string> TokenAsync(StreamLines stream)
    {
        while (true)
        {
            if (JsonOf(await stream.NextLineAsync()) is { } told && told.TryGetProperty("token", out var token))
            {
                return token.GetString()!;
            }
        }
    }

    private static async Task<JsonElement> NextEnvelopeAsync(StreamLines stream)
    {
        while (true)
        {
            if (JsonOf(await stream.NextLineAsync()) is { } told && told.TryGetProperty("receipt", out _))
            {
                return told;
            }
        }
    }

    /// <summary>The JSON of a line, of an event's data too; null where the line is another field of an event.</summary>
    private static JsonElement? JsonOf(string line)
    {
        var json = line.StartsWith("data: ", StringComparison.Ordinal) ? line["data: ".Length..] : line;
        return json is ['{', ..] ? JsonDocument.Parse(json).RootElement : null;
    }

    private static string KeyOf(JsonElement envelope) =>
        $$"""{"id":"{{envelope.GetProperty("id").GetString()}}","receipt":"{{envelope.GetProperty("receipt").GetString()}}"}""";
}
