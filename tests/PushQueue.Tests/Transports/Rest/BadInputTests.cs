using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

/// <summary>Each wrong request gets a clear answer and leaves nothing behind.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await PushQueueServer.StartAsync(options => options.Queues.MessageBytesMax = 1000);

    public async ValueTask DisposeAsync()
    {
        Assert.Equal(0, (await _server.GetAsync("/q")).Json.GetProperty("total").GetInt32());
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("/q/test?foo=1", "foo")]
    [InlineData("/q/test?delay=-1", "delay")]
    [InlineData("/q/test?delay=NaN", "delay")]
    [InlineData("/q/test?delay=1e5", "delay")]
    [InlineData("/q/test?delay=99999999999999999999999999", "delay")]
    [InlineData("/q/test?delay=1&at=2030-01-01", "at")]
    [InlineData("/q/test?at=tomorrow", "at")]
    [InlineData("/q/test?at=9999-01-01", "at")]
    [InlineData("/q/test?ttl=0", "ttl")]
    [InlineData("/q/test?priority=10", "priority")]
    [InlineData("/q/test?priority=1.5", "priority")]
    [InlineData("/q/test?priority=-1", "priority")]
    [InlineData("/q/test?maxAttempts=0", "maxAttempts")]
    [InlineData("/q/test?unique=", "unique")]
    [InlineData("/q/test?id=a&id=b", "id")]
    [InlineData("/q/test?ttl=1h&priority=1&ttl", "ttl")]
    [InlineData("/q/test?retryDelay=exponential:5m..1s", "retryDelay")]
    [InlineData("/q/test?priority=%ff", "priority")]
    [InlineData("/q/test?%zz=1", "%zz")]
    public async Task A_wrong_option_of_a_put_is_named(string path, string option)
    {
        var answer = await _server.PostAsync(path, "x");

        Assert.Equal((400, "bad-option"), (answer.Status, answer.Problem));
        Assert.Contains(option, answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_packed_is_refused_because_nobody_could_tell()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/q/test") { Content = new ByteArrayContent([0x1F, 0x8B]) };
        request.Content.Headers.ContentEncoding.Add("gzip");

        var answer = await _server.SendAsync(request);

        Assert.Equal((415, "unsupported"), (answer.Status, answer.Problem));
    }

    [Theory]
    [InlineData("/q/test?wait=61")]
    [InlineData("/q/test?wait=-1")]
    [InlineData("/q/test?ttr=0")]
    [InlineData("/q/test?ttr=365d")]
    [InlineData("/q/test?count=2")]
    [InlineData("/q/test/batch?count=0")]
    [InlineData("/q/test/batch?count=99999999999999999999")]
    [InlineData("/q/test/messages?state=gone")]
    [InlineData("/q/test/messages?limit=0")]
    [InlineData("/q/test/messages?after=%00nonsense")]
    [InlineData("/q?limit=NaN")]
    [InlineData("/q?nope=1")]
    [InlineData("/stats?x")]
    public async Task A_wrong_option_of_a_get_is_refused(string path)
    {
        var answer = await _server.GetAsync(path);

        Assert.Equal((400, "bad-option"), (answer.Status, answer.Problem));
    }

    [Theory]
    [InlineData("/q/..")]
    [InlineData("/q/.")]
    [InlineData("/q/%2e%2E")]
    [InlineData("/q/%2e%2e/batch")]
    [InlineData("/q/../q/test")]
    [InlineData("/q/a%2Fb")]
    [InlineData("/q/a%2fb/batch")]
    [InlineData("/q/%ff")]
    [InlineData("/q/%C3")]
    [InlineData("/q/a%0Ab")]
    [InlineData("/q/a%7Fb")]
    [InlineData("/q/a%")]
    [InlineData("/q/a%zz")]
    public async Task A_queue_name_that_cannot_be_is_refused_clearly(string target)
    {
        var answer = await _server.SendRawAsync("POST", target);

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"bad-queue-name\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_may_have_255_bytes_and_no_more()
    {
        Assert.Equal(201, (await _server.PostAsync("/q/" + new string('a', 255), "x")).Status);
        Assert.Equal("bad-queue-name", (await _server.PostAsync("/q/" + new string('a', 300), "x")).Problem);
        Assert.Equal(
            "bad-queue-name",
            (await _server.PostAsync("/q/" + string.Concat(Enumerable.Repeat("%F0%9F%98%80", 64)), "x")).Problem);
        Assert.Equal("bad-message-id", (await _server.PostAsync("/q/test?id=" + new string('a', 256), "x")).Problem);
        Assert.Equal("bad-message-id", (await _server.PostAsync("/q/test?id=a%00", "x")).Problem);
        Assert.Equal("bad-message-id", (await _server.PostAsync("/q/test?id=..", "x")).Problem);
        await _server.SendAsync("DELETE", "/q/" + new string('a', 255));
    }

    [Fact]
    public async Task A_name_that_looks_encoded_is_a_name_of_its_own()
    {
        Assert.Equal(201, (await _server.PostAsync("/q/a%252Fb", "x")).Status);
        Assert.Equal("a%2Fb", (await _server.GetAsync("/q")).Json.GetProperty("queues")[0].GetProperty("queue").GetString());
        Assert.Equal(204, (await _server.SendAsync("DELETE", "/q/a%252Fb")).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_is_too_large_is_refused_with_and_without_its_length(bool chunked)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "/q/test") { Content = new StreamContent(new MemoryStream(new byte[1001])) };
        request.Headers.TransferEncodingChunked = chunked;

        var answer = await _server.SendAsync(request);

        Assert.Equal((413, "message-too-large"), (answer.Status, answer.Problem));
    }

    [Fact]
    public async Task A_client_that_goes_in_the_middle_of_a_body_leaves_nothing()
    {
        using (var client = new System.Net.Sockets.TcpClient())
        {
            await client.ConnectAsync(System.Net.IPAddress.Loopback, _server.Address.Port).WithTimeout();
            await client.GetStream()
                .WriteAsync("POST /q/test HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"u8.ToArray())
                .WithTimeout();
        }

        Assert.Equal(204, (await _server.GetAsync("/q/test")).Status);
    }

    [Theory]
    [InlineData("PUT", "/q/test", "POST, GET, DELETE")]
    [InlineData("POST", "/q", "GET, HEAD")]
    [InlineData("DELETE", "/q/test/batch", "POST, GET")]
    [InlineData("GET", "/q/test/messages/1/ack", "POST")]
    [InlineData("POST", "/sse/test", "GET")]
    [InlineData("POST", "/c/test", "GET")]
    [InlineData("GET", "/queue", "POST")]
    public async Task A_wrong_method_is_told_the_right_ones(string method, string path, string allow)
    {
        var answer = await _server.SendAsync(method, path, method == "GET" ? null : "x");

        Assert.Equal((405, "method-not-allowed"), (answer.Status, answer.Problem));
        Assert.Equal(allow, answer.Headers["Allow"]);
    }

    [Fact]
    public async Task Head_takes_nothing()
    {
        Assert.Equal(405, (await _server.SendAsync("HEAD", "/q/test")).Status);
    }

    [Fact]
    public async Task An_unknown_path_gets_a_problem()
    {
        var answer = await _server.GetAsync("/nothing/here");

        Assert.Equal((404, "not-found"), (answer.Status, answer.Problem));
    }

    [Fact]
    public async Task A_content_type_that_no_header_could_carry_back_is_refused()
    {
        Assert.Equal("bad-option", (await _server.PostAsync("/q/test", "x", "text/" + new string('x', 300))).Problem);
    }
}
