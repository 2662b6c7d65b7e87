using System.Net.WebSockets;
using System.Text.Json;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>The opening of streams before their first message, so that a client which loses its connection then misses nothing.</summary>
public abstract class StreamOpeningContract : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private protected abstract Task<PushQueueServer> StartAsync();

    [Theory]
    [InlineData("/sse/", false)]
    [InlineData("/sse/", true)]
    [InlineData("/c/", false)]
    [InlineData("/c/", true)]
    [InlineData("/ws/", false)]
    [InlineData("/ws/", true)]
    [InlineData("/restmq/sse/", false)]
    [InlineData("/restmq/sse/", true)]
    public async Task A_broadcast_stream_that_breaks_before_its_first_message_resumes_without_loss(string path, bool queueExists)
    {
        if (queueExists)
        {
            await _server.PostAsync("/q/test", "before");
        }

        using var other = await OpenAsync("/c/test");
        if (queueExists)
        {
            Assert.Contains("before", await other.NextLineAsync(), StringComparison.Ordinal);
        }

        var cursor = await CursorOfAsync(path + "test");
        Assert.Equal(!queueExists, cursor.StartsWith("new.", StringComparison.Ordinal));
        await _server.PostAsync("/q/test", "missed");
        Assert.Contains("missed", await other.NextLineAsync(), StringComparison.Ordinal);

        Assert.Contains("missed", await FirstAsync(path + "test", cursor), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cursor_that_was_counted_on_from_the_one_of_a_new_queue_resumes_there()
    {
        using var other = await OpenAsync("/c/test");
        await _server.PostAsync("/q/test", "one");
        await _server.PostAsync("/q/test", "two");
        _ = await other.NextLinesAsync(2);

        Assert.Contains("two", await FirstAsync("/sse/test", "new.1"), StringComparison.Ordinal);
        Assert.Contains("\"reset\"", await FirstAsync("/sse/test", "new.7"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/sse/", "expired")]
    [InlineData("/sse/", "reset")]
    [InlineData("/c/", "expired")]
    [InlineData("/c/", "reset")]
    [InlineData("/ws/", "expired")]
    [InlineData("/ws/", "reset")]
    [InlineData("/restmq/sse/", "expired")]
    public async Task A_gap_has_a_cursor_of_its_own_and_so_is_reported_once(string path, string cause)
    {
        await _server.SendAsync("PATCH", "/q/test/settings", """{"history":{"messages":2}}""", "application/json");
        using var other = await OpenAsync("/c/test");
        for (var i = 1; i <= 5; i++)
        {
            await _server.PostAsync("/q/test", $"m{i}");
        }

        _ = await other.NextLinesAsync(5);
        var before = cause == "reset" ? "another.17" : "new.1";

        var (gap, cursor) = await GapOfAsync(path + "test", before);
        var next = await FirstAsync(path + "test", cursor);

        Assert.Contains($"\"cause\":\"{cause}\"", gap, StringComparison.Ordinal);
        Assert.Contains("m4", next, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/sse/")]
    [InlineData("/c/")]
    public async Task A_stream_gives_its_first_byte_at_once_and_says_that_nothing_may_keep_or_change_it(string path)
    {
        await _server.PostAsync("/p/test?policy=roundrobin");

        using var answer = await _server.Client.GetAsync(path + "test", HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        await using var body = await answer.Content.ReadAsStreamAsync();

        Assert.Equal(1, await body.ReadAsync(new byte[1]).AsTask().WithTimeout());
        Assert.Equal("no-store, no-transform", answer.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task A_stream_of_bare_bodies_begins_with_the_first_body()
    {
        using var lines = await OpenAsync("/c/test?format=raw");
        using var socket = await ConnectAsync("/ws/test?format=raw");

        await _server.PostAsync("/q/test", "one");

        Assert.Equal(("one", "one"), (await lines.NextLineAsync(), await socket.NextOfAllAsync()));
        Assert.Null(lines.Cursor);
    }

    [Theory]
    [InlineData("/sse/test")]
    [InlineData("/restmq/sse/test")]
    public async Task Under_roundrobin_where_nothing_can_be_resumed_events_have_no_id(string path)
    {
        await _server.PostAsync("/p/test?policy=roundrobin");
        using var stream = await OpenAsync(path);

        await _server.PostAsync("/q/test?id=%E2%82%AC7", "one");

        Assert.StartsWith("data: {", await stream.NextLineAsync(), StringComparison.Ordinal);
        Assert.Null(stream.Cursor);
    }

    [Theory]
    [InlineData("/sse/")]
    [InlineData("/c/")]
    [InlineData("/ws/")]
    [InlineData("/restmq/sse/")]
    public async Task A_stream_whose_queue_turns_from_roundrobin_to_broadcast_learns_its_cursor_then(string path)
    {
        await _server.PostAsync("/p/test?policy=roundrobin");
        string cursor;
        if (path.StartsWith("/ws", StringComparison.Ordinal))
        {
            using var socket = await ConnectAsync(path + "test");
            await _server.PostAsync("/p/test?policy=broadcast");
            cursor = JsonDocument.Parse(await socket.NextOfAllAsync()).RootElement.GetProperty("cursor").GetString()!;
        }
        else
        {
            using var stream = await OpenAsync(path + "test");
            await _server.PostAsync("/p/test?policy=broadcast");
            cursor = await stream.ReadCursorAsync().WithTimeout();
        }

        using var other = await OpenAsync("/c/test");
        await _server.PostAsync("/q/test", "missed");
        Assert.Contains("missed", await other.NextLineAsync(), StringComparison.Ordinal);

        Assert.Contains("missed", await FirstAsync(path + "test", cursor), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_learns_no_second_cursor_where_the_policy_stays()
    {
        using var stream = await OpenAsync("/c/test");
        _ = await stream.ReadCursorAsync().WithTimeout();

        await _server.PostAsync("/p/test?policy=broadcast");
        await _server.SendAsync("PATCH", "/q/test/settings", """{"ttr":"9s"}""", "application/json");
        await _server.PostAsync("/q/test", "one");

        Assert.Contains("one", await stream.NextLineAsync(), StringComparison.Ordinal);
    }

    private async Task<StreamLines> OpenAsync(string path, string? cursor = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        _ = cursor is null || request.Headers.TryAddWithoutValidation("Last-Event-ID", cursor);
        var answer = await _server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        return new StreamLines(await answer.EnsureSuccessStatusCode().Content.ReadAsStreamAsync());
    }

    /// <summary>The cursor that a stream begins with; the stream is given up then.</summary>
    private async Task<string> CursorOfAsync(string path)
    {
        if (path.StartsWith("/ws", StringComparison.Ordinal))
        {
            using var socket = await ConnectAsync(path);
            return JsonDocument.Parse(await socket.NextOfAllAsync()).RootElement.GetProperty("cursor").GetString()!;
        }

        using var stream = await OpenAsync(path);
        return await stream.ReadCursorAsync().WithTimeout();
    }

    private async Task<string> FirstAsync(string path, string cursor)
    {
        if (path.StartsWith("/ws", StringComparison.Ordinal))
        {
            using var socket = await ConnectAsync($"{path}?from={cursor}");
            return await socket.NextAsync();
        }

        using var stream = path.StartsWith("/c", StringComparison.Ordinal)
            ? await OpenAsync($"{path}?from={cursor}")
            : await OpenAsync(path, cursor);
        string line;
        do
        {
            line = await stream.NextLineAsync();
        }
        while (line.StartsWith("id: ", StringComparison.Ordinal) || line.StartsWith("event: ", StringComparison.Ordinal));
        return line;
    }

    private async Task<(string Gap, string Cursor)> GapOfAsync(string path, string cursor)
    {
        if (!path.Contains("sse", StringComparison.Ordinal))
        {
            var gap = await FirstAsync(path, cursor);
            return (gap, JsonDocument.Parse(gap).RootElement.GetProperty("cursor").GetString()!);
        }

        using var stream = await OpenAsync(path, cursor);
        var lines = await stream.NextLinesAsync(3);
        Assert.Equal("event: gap", lines[1]);
        return (lines[2], lines[0]["id: ".Length..]);
    }

    private async Task<ClientWebSocket> ConnectAsync(string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_server.Address.Authority}{path}"), CancellationToken.None).WithTimeout();
        return socket;
    }
}

public sealed class StreamOpeningTests : StreamOpeningContract
{
    private protected override Task<PushQueueServer> StartAsync() => PushQueueServer.StartAsync();
}

public sealed class StreamOpeningOverRedisTests(SharedRedis redis) : StreamOpeningContract
{
    private protected override async Task<PushQueueServer> StartAsync()
    {
        var store = await redis.OptionsAsync();
        return await PushQueueServer.StartAsync(options =>
        {
            options.Storage.Redis = store.Configuration;
            options.Storage.RedisKeyPrefix = store.KeyPrefix;
        });
    }
}
