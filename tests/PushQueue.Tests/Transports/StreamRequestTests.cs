using System.Net.Sockets;
using System.Text;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Options and headers that browsers, their polyfills and proxies add to a request for a stream.</summary>
public sealed class StreamRequestTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;
    private string _epoch = "";

    public async ValueTask InitializeAsync()
    {
        _server = await PushQueueServer.StartAsync();
        using var stream = await OpenAsync("/c/test");
        for (var i = 1; i <= 5; i++)
        {
            await _server.PostAsync("/q/test", $"m{i}");
        }

        _ = await stream.NextLinesAsync(5);
        _epoch = (await _server.GetAsync("/j/test")).Json.GetProperty("epoch").GetString()!;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("?lastEventId=EPOCH.1", "EPOCH.3", "m4")]
    [InlineData("?from=EPOCH.1", "EPOCH.3", "m4")]
    [InlineData("?lastEventId=EPOCH.3", null, "m4")]
    [InlineData("?last_event_id=EPOCH.3&r=0.83&t=1&_=2", null, "m4")]
    [InlineData("?evs_last_event_id=EPOCH.3&evs_preamble", null, "m4")]
    [InlineData("?lastEventId=EPOCH.1&lastEventId=EPOCH.3", null, "m4")]
    [InlineData("?lastEventId=EPOCH.3&lastEventId=EPOCH.1", null, "m4")]
    [InlineData("", "EPOCH.3, EPOCH.1", "m4")]
    [InlineData("", "another.17,EPOCH.3", "m4")]
    public async Task The_newest_place_that_a_client_names_counts(string query, string? header, string expected)
    {
        foreach (var path in (string[])["/sse/test", "/c/test", "/restmq/sse/test"])
        {
            using var stream = await OpenAsync(path
                + query.Replace("EPOCH", _epoch, StringComparison.Ordinal), header?.Replace("EPOCH", _epoch, StringComparison.Ordinal));

            Assert.Contains(expected, await FirstDataAsync(stream), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Two_headers_that_name_a_place_are_taken_like_one()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sse/test");
        request.Headers.Add("Last-Event-ID", [$"{_epoch}.3", $"{_epoch}.1"]);
        using var answer = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        using var stream = new StreamLines(await answer.Content.ReadAsStreamAsync());

        Assert.Contains("m4", await FirstDataAsync(stream), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/sse/test", "text/event-stream")]
    [InlineData("/c/test", "text/event-stream")]
    [InlineData("/restmq/sse/test", "*/*")]
    public async Task An_event_source_whose_stream_was_ended_for_good_is_told_to_stay_away(string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", accept } } };
        using var answer = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        using var stream = new StreamLines(await answer.Content.ReadAsStreamAsync());
        _ = await stream.ReadCursorAsync().WithTimeout();
        var consumer = (await _server.GetAsync("/q/test/consumers")).Json.GetProperty("consumers")
            .EnumerateArray().Last().GetProperty("id").ToString();

        Assert.Equal(204, (await _server.SendAsync("DELETE", $"/q/test/consumers/{consumer}")).Status);

        Assert.Equal(["id: stop", "event: close"], await stream.NextLinesAsync(2));
        using var again = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", accept }, { "Last-Event-ID", "stop" } } };
        Assert.Equal(204, (await _server.SendAsync(again)).Status);
    }

    [Fact]
    public async Task A_place_that_no_server_gave_in_whatever_bytes_is_a_reset()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _server.Address.Port).WithTimeout();
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(
            "GET /sse/test HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: \u00e4\r\n\r\n")).WithTimeout();
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);

        string? line;
        do
        {
            line = await reader.ReadLineAsync().WithTimeout();
        }
        while (line?.StartsWith("data: ", StringComparison.Ordinal) is false);
        Assert.Contains("\"reset\"", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/q/test", 201)]
    [InlineData("GET", "/j/test", 200)]
    [InlineData("GET", "/restmq/stats/test", 200)]
    [InlineData("GET", "/presque/j/test", 200)]
    [InlineData("GET", "/redisched/t/test/ready", 200)]
    public async Task A_foreign_header_may_hold_any_byte(string method, string path, int status)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _server.Address.Port).WithTimeout();
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: name=\u00e4\u00ff\r\nX-Any: \u00e9\r\nContent-Length: "
                + "0\r\nConnection: close\r\n\r\n")).WithTimeout();
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);

        Assert.StartsWith($"HTTP/1.1 {status} ", await reader.ReadToEndAsync().WithTimeout(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/q/traced?traceparent=00-11111111111111111111111111111111-1111111111111111-01", "x")]
    [InlineData("/q/traced/batch?traceparent=00-11111111111111111111111111111111-1111111111111111-01", "[1]")]
    public async Task The_header_of_a_trace_beats_the_url(string path, string body)
    {
        const string Header = "00-22222222222222222222222222222222-2222222222222222-01";
        using var request = new HttpRequestMessage(
            HttpMethod.Post, path) { Content = new StringContent(body), Headers = { { "traceparent", Header } } };

        _ = await _server.SendAsync(request);

        Assert.Equal(Header, (await _server.GetAsync("/q/traced")).Headers["traceparent"]);
    }

    private static async Task<string> FirstDataAsync(StreamLines stream)
    {
        string line;
        do
        {
            line = await stream.NextLineAsync();
        }
        while (line.StartsWith("id: ", StringComparison.Ordinal) || line.StartsWith("event: ", StringComparison.Ordinal));
        return line;
    }

    private async Task<StreamLines> OpenAsync(string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        _ = lastEventId is null
            || request.Headers.TryAddWithoutValidation("Last-Event-ID", Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(lastEventId)));
        var answer = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        return new StreamLines(await answer.EnsureSuccessStatusCode().Content.ReadAsStreamAsync());
    }
}
