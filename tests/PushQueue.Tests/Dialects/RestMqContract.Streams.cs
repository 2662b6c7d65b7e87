using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

public abstract partial class RestMqContract
{
    [Fact]
    public async Task Comet_opens_before_the_queue_exists_and_gives_each_message_at_once_as_chunks()
    {
        using var comet = await RawCometAsync("/c/test");

        var key = 0;
        foreach (var value in (string[])["a", "b \"ü\""])
        {
            await PutAsync("test", value);

            var line = $"{{\"key\":\"test:{++key}\",\"value\":\"{value.Replace("\"", "\\\"", StringComparison.Ordinal)}\"}}\r\n";
            var bytes = Encoding.UTF8.GetByteCount(line);
            Assert.Equal($"{bytes:x}\r\n{line}\r\n", await ReadAsync(comet, bytes + 6));
        }
    }

    [Fact]
    public async Task Streams_say_what_they_are_and_comet_wraps_in_a_callback_that_was_given()
    {
        using var plain = await OpenAsync("/c/test");
        Assert.Equal("text/plain", plain.Content.Headers.ContentType!.ToString());
        using var events = await OpenAsync("/sse/test");
        Assert.Equal("text/event-stream", events.Content.Headers.ContentType!.ToString());
        using var wrapped = await OpenAsync("/c/test?callback=show");
        Assert.Equal("application/javascript", wrapped.Content.Headers.ContentType!.ToString());
        var reader = new StreamLines(await wrapped.Content.ReadAsStreamAsync());

        await PutAsync("test", "a");

        Assert.Equal("show({\"key\":\"test:1\",\"value\":\"a\"});", await reader.NextLineAsync());
    }

    [Fact]
    public async Task With_broadcast_every_consumer_gets_each_message_whatever_it_is_connected_by()
    {
        using var comet = await OpenLinesAsync("/c/test");
        using var events = await OpenLinesAsync("/sse/test");
        using var socket = await SocketAsync("/ws/test");

        await PutAsync("test", "a", "b");

        Assert.Equal(["{\"key\":\"test:1\",\"value\":\"a\"}", "{\"key\":\"test:2\",\"value\":\"b\"}"], await comet.NextLinesAsync(2));
        Assert.Equal(
            ["{\"key\":\"test:1\",\"value\":\"a\"}", "{\"key\":\"test:2\",\"value\":\"b\"}"],
            [await socket.NextAsync(), await socket.NextAsync()]);
        var lines = await events.NextLinesAsync(4);
        Assert.Equal("data: {\"key\":\"test:1\",\"value\":\"a\"}", lines[1]);
        Assert.StartsWith("id: ", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_roundrobin_each_message_goes_to_the_next_in_turn()
    {
        await PostAsync("/p/test", "policy=roundrobin");
        using var first = await OpenLinesAsync("/c/test");
        using var second = await OpenLinesAsync("/c/test");

        await PutAsync("test", "a", "b", "c", "d");

        var firsts = await first.NextLinesAsync(2);
        var seconds = await second.NextLinesAsync(2);
        Assert.Equal(4, firsts.Concat(seconds).Distinct().Count());
        Assert.Equal(2, Math.Abs(KeyOf(firsts[1]) - KeyOf(firsts[0])));
        Assert.Equal(2, Math.Abs(KeyOf(seconds[1]) - KeyOf(seconds[0])));
    }

    [Fact]
    public async Task Messages_wait_while_nobody_is_connected_and_while_the_queue_is_stopped()
    {
        await PutAsync("test", "a");
        using var comet = await OpenLinesAsync("/c/test");
        Assert.Equal("{\"key\":\"test:1\",\"value\":\"a\"}", await comet.NextLineAsync());

        await PostAsync("/control/test", "status=stop");
        await PutAsync("test", "b", "c");
        Assert.Equal("b", (await GetAsync("/q/test")).Json.GetProperty("value").GetString());
        Assert.Equal(1, await LengthAsync("test"));
        await PostAsync("/control/test", "status=start");

        Assert.Equal("{\"key\":\"test:3\",\"value\":\"c\"}", await comet.NextLineAsync());
    }

    [Fact]
    public async Task Delete_closes_the_streams_without_a_word_more()
    {
        using var comet = await RawCometAsync("/c/test");
        using var socket = await SocketAsync("/ws/test");
        await PutAsync("test", "a");
        _ = await socket.NextAsync();

        await _server.SendAsync("DELETE", _base + "/q/test");

        Assert.Equal("1e\r\n{\"key\":\"test:1\",\"value\":\"a\"}\r\n\r\n0\r\n\r\n", await ReadAsync(comet, 41));
        Assert.StartsWith("close ", await socket.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_frame_comes_back_as_it_was_even_if_it_is_a_command()
    {
        using var socket = await SocketAsync("/ws/test");

        foreach (var text in (string[])["hello ü", "{\"cmd\":\"put\",\"queue\":\"test\",\"value\":1}", ""])
        {
            await socket.SendAsync(text);
            Assert.Equal(text, await socket.NextAsync());
        }

        Assert.Equal(0, await LengthAsync("test"));
    }

    [Fact]
    public async Task Server_sent_events_resume_by_their_id()
    {
        string id;
        using (var events = await OpenLinesAsync("/sse/test"))
        {
            await PutAsync("test", "a", "b", "c");
            id = (await events.NextLineAsync())["id: ".Length..];
        }

        using var resumed = await OpenLinesAsync("/sse/test", id);

        Assert.Equal("data: {\"key\":\"test:2\",\"value\":\"b\"}", (await resumed.NextLinesAsync(2))[1]);
    }

    [Fact]
    public async Task Streams_give_binary_bodies_as_base64_and_other_ids_in_their_keys()
    {
        using var comet = await OpenLinesAsync("/c/test");
        await _server.PostAsync("/q/test?id=x", "bytes", "application/octet-stream");
        await _server.PostAsync("/q/test", "{\"a\":\n1}", "application/json");

        Assert.Equal($"{{\"key\":\"test:x\",\"value\":\"{Base64("bytes")}\"}}", await comet.NextLineAsync());
        Assert.EndsWith("\"value\":\"{\\\"a\\\":\\n1}\"}", await comet.NextLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/c/a%2Fb")]
    [InlineData("/sse/a%2Fb")]
    [InlineData("/ws/a%2Fb")]
    [InlineData("/c/test?callback=a(b)")]
    public async Task A_stream_of_a_wrong_name_is_refused(string path) =>
        Assert.Equal((400, "text/plain"), await GetAsync(path) is var answer ? (answer.Status, answer.ContentType) : default);

    private static int KeyOf(string line) =>
        int.Parse(line["{\"key\":\"test:".Length..line.IndexOf("\",", StringComparison.Ordinal)], null);

    private async Task<HttpResponseMessage> OpenAsync(string path, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _base + path);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var response = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        Assert.Equal(200, (int)response.StatusCode);
        return response;
    }

    private async Task<StreamLines> OpenLinesAsync(string path, string? lastEventId = null) =>
        new(await (await OpenAsync(path, lastEventId)).Content.ReadAsStreamAsync());

    private async Task<ClientWebSocket> SocketAsync(string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(
            new UriBuilder(new Uri(_server.Address, _base + path)) { Scheme = "ws" }.Uri,
            CancellationToken.None).WithTimeout();
        return socket;
    }

    /// <summary>A comet stream down to its bytes, read past the headers.</summary>
    private async Task<NetworkStream> RawCometAsync(string path)
    {
        var address = new Uri(_server.Address, _base + path);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address.Host, address.Port).WithTimeout();
        var stream = new NetworkStream(socket, ownsSocket: true);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {address.PathAndQuery} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        var head = "";
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head += await ReadAsync(stream, 1);
        }

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", head, StringComparison.Ordinal);
        return stream;
    }

    private static async Task<string> ReadAsync(NetworkStream stream, int bytes)
    {
        var buffer = new byte[bytes];
        await stream.ReadExactlyAsync(buffer).AsTask().WithTimeout();
        return Encoding.UTF8.GetString(buffer);
    }
}
