using System.Net;
using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

public sealed class HttpStreamTests
{
    [Fact]
    public async Task A_comet_client_gets_an_envelope_per_line()
    {
        await using var server = await PushServer.StartAsync();
        using var stream = await server.ListenAsync("/c/test");

        await server.PutAsync("one");
        await server.PutAsAsync("application/json", "{\"a\":\n2}");

        Assert.Equal("""{"queue":"test","id":"1","body":"one","offset":1,"contentType":"text/plain"}""", await stream.NextLineAsync());
        Assert.Equal("""{"queue":"test","id":"2","body":{"a": 2},"offset":2}""", await stream.NextLineAsync());
    }

    [Theory]
    [InlineData("/sse/test?from=earliest")]
    [InlineData("/sse/test?from=1")]
    public async Task An_event_stream_carries_the_cursor_as_its_id(string path)
    {
        await using var server = await PushServer.StartAsync();
        await server.PutAsync("waits");
        using var stream = await server.ListenAsync(path);

        var lines = await stream.NextLinesAsync(2);

        var epoch = (await server.Store.GetQueueAsync(server.Queue))!.Position.Epoch;
        Assert.Equal([$"id: {epoch}.1", """data: {"queue":"test","id":"1","body":"waits","offset":1,"contentType":"text/plain"}"""], lines);
    }

    [Fact]
    public async Task A_raw_event_has_a_data_line_per_line_of_the_body()
    {
        await using var server = await PushServer.StartAsync();
        using var stream = await server.ListenAsync("/sse/test?format=raw");

        await server.PutAsync("a\r\nb\nc");

        Assert.Equal(["data: a", "data: b", "data: c"], (await stream.NextLinesAsync(4))[1..]);
    }

    [Fact]
    public async Task A_client_of_http_1_0_gets_the_same_lines_without_chunks()
    {
        await using var server = await PushServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{server.Address}/c/test") { Version = HttpVersion.Version10 };
        using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var stream = new StreamLines(await response.Content.ReadAsStreamAsync());

        await server.PutAsync("one");

        Assert.Equal("""{"queue":"test","id":"1","body":"one","offset":1,"contentType":"text/plain"}""", await stream.NextLineAsync());
    }

    [Fact]
    public async Task Resuming_loses_nothing_and_repeats_nothing_while_messages_pour_in()
    {
        const int Count = 4000;
        await using var server = await PushServer.StartAsync();
        using var first = await server.ListenAsync("/c/test");
        var putting = Task.Run(async () =>
        {
            for (var i = 1; i <= Count; i++)
            {
                await server.PutAsync("m");
            }
        });

        // Comes and goes, each time from the cursor of the last event that it saw.
        var seen = new List<long>();
        string? cursor = null;
        while (seen.Count < Count)
        {
            using var stream = await server.ListenAsync("/sse/test?from=earliest", cursor);
            for (var i = 0; i < 700 && seen.Count < Count; i++)
            {
                cursor = (await stream.NextLineAsync())["id: ".Length..];
                var envelope = JsonDocument.Parse((await stream.NextLineAsync())["data: ".Length..]);
                seen.Add(envelope.RootElement.GetProperty("offset").GetInt64());
            }
        }

        await putting;
        Assert.Equal(Enumerable.Range(1, Count).Select(i => (long)i), seen);
    }

    [Fact]
    public async Task A_cursor_of_another_epoch_is_told_as_a_gap_and_the_stream_goes_on()
    {
        await using var server = await PushServer.StartAsync();
        await server.PutAsync("one");
        using var before = await server.ListenAsync("/c/test");
        _ = await before.NextLineAsync();

        using var stream = await server.ListenAsync("/sse/test", lastEventId: "another.17");
        var lines = await stream.NextLinesAsync(5);

        Assert.Equal("event: gap", lines[1]);
        Assert.Contains("\"cause\":\"reset\"", lines[2], StringComparison.Ordinal);
        Assert.Contains("\"body\":\"one\"", lines[4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_history_no_longer_holds_is_told_as_a_gap()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { HistoryMessages = 2 });
        using var live = await server.ListenAsync("/c/test");
        await server.PutAsync("1", "2", "3", "4", "5");
        _ = await live.NextLinesAsync(5);

        using var stream = await server.ListenAsync("/c/test?from=1");
        var gap = await stream.NextLineAsync();

        Assert.StartsWith(
            """{"event":"gap","queue":"test","from":1,"to":3,"count":3,"cause":"expired","cursor":""",
            gap,
            StringComparison.Ordinal);
        Assert.Contains("\"body\":\"4\"", await stream.NextLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_that_the_disk_has_damaged_is_told_as_a_gap_live_and_from_history()
    {
        await using var server = await PushServer.StartAsync(cacheBytesMax: 0);
        await server.SetAsync(new QueueSettingsPatch { Stopped = true });
        using var live = await server.ListenAsync("/c/test");
        await server.PutAsync("<one>", "<two>", "<three>", "<four>");
        server.Damage("<one>");
        server.Damage("<three>");

        await server.SetAsync(new QueueSettingsPatch { Stopped = false });
        var seen = await live.NextLinesAsync(4);
        using var resumed = await server.ListenAsync("/c/test?from=1");

        Assert.StartsWith(
            """{"event":"gap","queue":"test","from":1,"to":1,"count":1,"cause":"expired","cursor":""",
            seen[0],
            StringComparison.Ordinal);
        Assert.Contains("<two>", seen[1], StringComparison.Ordinal);
        Assert.StartsWith(
            """{"event":"gap","queue":"test","from":3,"to":3,"count":1,"cause":"expired","cursor":""",
            seen[2],
            StringComparison.Ordinal);
        Assert.Contains("<four>", seen[3], StringComparison.Ordinal);
        Assert.Equal(seen, await resumed.NextLinesAsync(4));
    }

    [Fact]
    public async Task Manual_acks_mean_nothing_under_broadcast_and_everything_from_when_the_queue_is_roundrobin()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { Policy = DeliveryPolicy.Broadcast });
        using var socket = await server.ConnectAsync("/ws/test?ack=manual&prefetch=1");

        await server.PutAsync("1", "2", "3");
        for (var i = 1; i <= 3; i++)
        {
            var envelope = await socket.NextAsync();
            Assert.Contains($"\"offset\":{i}", envelope, StringComparison.Ordinal);
            Assert.DoesNotContain("receipt", envelope, StringComparison.Ordinal);
        }

        await server.SetAsync(new QueueSettingsPatch { Policy = DeliveryPolicy.RoundRobin });
        await server.PutAsync("4");
        Assert.Contains("receipt", await socket.NextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/c/test?format=raw")]
    [InlineData("/sse/test?format=raw")]
    public async Task A_page_that_is_streamed_raw_runs_no_scripts_of_the_servers_origin(string path)
    {
        await using var server = await PushServer.StartAsync();

        using var answer = await server.Http.GetAsync(
            new Uri($"http://{server.Address}{path}"),
            HttpCompletionOption.ResponseHeadersRead).WithTimeout();

        Assert.Equal("sandbox; default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task Clients_that_never_read_do_not_hold_up_or_throw_out_the_one_that_does()
    {
        await using var server = await PushServer.StartAsync(options => options.BufferBytesMax = 64 * 1024);
        using var reader = await server.ConnectAsync("/ws/test");
        var stuck = new List<IDisposable>();
        for (var i = 0; i < 3; i++)
        {
            stuck.Add(await server.ConnectAsync("/ws/test"));
        }

        // More than half of the consumers are behind: a round that waited for them would wait for ever.
        var body = new string('x', 20_000);
        for (var i = 1; server.Registry.Connections > 1; i++)
        {
            await server.PutAsync(body);
            Assert.Contains($"\"offset\":{i}", await reader.NextAsync(), StringComparison.Ordinal);
            Assert.True(i < 100_000, "Those that never read were never cut.");
        }

        await server.PutAsync("after");
        Assert.Contains("after", await reader.NextAsync(), StringComparison.Ordinal);
        stuck.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task A_stopped_queue_pauses_its_streams_and_goes_on_when_started()
    {
        await using var server = await PushServer.StartAsync();
        await server.SetAsync(new QueueSettingsPatch { Stopped = true });
        using var stream = await server.ListenAsync("/c/test");
        await server.PutAsync("waits");

        Assert.Equal(1, (await server.Store.GetQueueAsync(server.Queue))!.Ready);
        await server.SetAsync(new QueueSettingsPatch { Stopped = false });

        Assert.Contains("waits", await stream.NextLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_queue_ends_its_streams()
    {
        await using var server = await PushServer.StartAsync();
        await server.PutAsync("one");
        using var stream = await server.ListenAsync("/c/test");
        _ = await stream.NextLineAsync();

        _ = await server.Store.DeleteQueueAsync(server.Queue);

        Assert.Contains("queue-deleted", await stream.NextLineAsync(), StringComparison.Ordinal);
        Assert.Null(await stream.ReadLineAsync());
        await server.NobodyIsLeftAsync();
    }

    [Fact]
    public async Task Clients_that_vanish_leave_nothing_behind()
    {
        await using var server = await PushServer.StartAsync();
        var streams = new List<IDisposable>();
        for (var i = 0; i < 10; i++)
        {
            streams.Add(await server.ListenAsync("/sse/test"));
            streams.Add(await server.ListenAsync("/c/test"));
            streams.Add(await server.ConnectAsync("/ws/test"));
        }

        Assert.Equal(30, server.Registry.Consumers);
        streams.ForEach(stream => stream.Dispose());

        await server.NobodyIsLeftAsync();
    }

    [Fact]
    public async Task Stopping_the_server_tells_streams_to_come_back()
    {
        await using var server = await PushServer.StartAsync();
        using var events = await server.ListenAsync("/sse/test");
        using var socket = await server.ConnectAsync("/ws/test");

        var stopping = server.StopAsync();

        var retry = await events.NextLineAsync();
        Assert.StartsWith("retry: ", retry, StringComparison.Ordinal);
        Assert.Equal("event: close", await events.NextLineAsync());
        Assert.Contains($"\"reconnectMs\":{retry["retry: ".Length..]}", await events.NextLineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("close 1012 {\"code\":\"server-shutdown\",\"reconnectMs\":", await socket.NextAsync(), StringComparison.Ordinal);
        await socket.CloseOutputAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await stopping;
        await server.NobodyIsLeftAsync();
    }

    [Theory]
    [InlineData("/c/test?color=red", "color")]
    [InlineData("/c/test?prefetch=0", "prefetch")]
    [InlineData("/sse/test?from=nowhere", "from")]
    [InlineData("/c/a%2Fb", "'/'")]
    public async Task A_wrong_option_is_refused_with_a_sentence(string path, string word)
    {
        await using var server = await PushServer.StartAsync();

        var response = await server.Http.GetAsync(new Uri($"http://{server.Address}{path}"));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(word, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
