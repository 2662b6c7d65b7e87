using System.Text.Json;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

public sealed class QueueTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Queues_are_listed_in_pages_with_their_counts()
    {
        await _server.PostAsync("/q/a", "x");
        await _server.PostAsync("/q/b?delay=1h", "x");
        await _server.PostAsync("/q/c", "x");

        var first = (await _server.GetAsync("/q?limit=2")).Json;
        Assert.Equal(3, first.GetProperty("total").GetInt32());
        Assert.Equal(1, first.GetProperty("queues")[1].GetProperty("delayed").GetInt32());
        var rest = (await _server.GetAsync("/q?after=" + Uri.EscapeDataString(first.GetProperty("next").GetString()!))).Json;
        Assert.Equal("c", rest.GetProperty("queues")[0].GetProperty("queue").GetString());
        Assert.Equal(3, (await _server.GetAsync("/stats")).Json.GetProperty("queues").GetInt32());
    }

    [Fact]
    public async Task History_is_listed_in_pages_and_a_list_counts_the_messages_of_other_states()
    {
        using (await _server.Client.GetAsync("/c/test", HttpCompletionOption.ResponseHeadersRead).WithTimeout())
        {
            await _server.PostAsync("/q/test/batch", "1\n2\n3", "application/x-ndjson");
            await Eventually.TrueAsync(async () => await CountAsync("history") == 3, "all are broadcast");
        }

        await _server.PostAsync("/q/test?delay=1h", "later");

        var first = (await _server.GetAsync("/q/test/messages?state=history&limit=2")).Json;
        Assert.Equal(["1", "2"], BodiesOf(first));
        Assert.Equal("history", first.GetProperty("messages")[0].GetProperty("state").GetString());
        Assert.Equal(1, first.GetProperty("messages")[0].GetProperty("offset").GetInt64());
        var rest = (await _server.GetAsync("/q/test/messages?state=history&after=" + first.GetProperty("next").GetString())).Json;
        Assert.Equal(["3"], BodiesOf(rest));
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("next").ValueKind);
        Assert.Equal(
            """{"queue":"test","messages":[],"next":null,"counts":{"ready":0,"delayed":1,"leased":0,"history":3}}""",
            (await _server.GetAsync("/q/test/messages")).Text);
        Assert.Equal(400, (await _server.GetAsync("/q/test/messages?state=history&after=x")).Status);
        Assert.Equal(
            """{"queue":"none","messages":[],"next":null,"counts":{"ready":0,"delayed":0,"leased":0,"history":0}}""",
            (await _server.GetAsync("/q/none/messages?state=history")).Text);

        static IEnumerable<string> BodiesOf(JsonElement page) =>
            page.GetProperty("messages").EnumerateArray().Select(static message => message.GetProperty("body").GetRawText());

        async Task<long> CountAsync(string state) =>
            (await _server.GetAsync("/q/test/messages")).Json.GetProperty("counts").GetProperty(state).GetInt64();
    }

    [Fact]
    public async Task A_purged_queue_is_empty_and_keeps_its_settings_and_its_consumers()
    {
        await _server.PostAsync("/p/test", "policy=roundrobin");
        await _server.PostAsync("/control/test", "status=stop");
        using var stream = await _server.Client.GetAsync("/c/test", HttpCompletionOption.ResponseHeadersRead).WithTimeout();
        await _server.PostAsync("/q/test/batch", string.Join('\n', Enumerable.Range(0, 2500)), "application/x-ndjson");
        await _server.PostAsync("/q/test?delay=1h", "later");

        var purged = await _server.PostAsync("/q/test/purge", "");

        Assert.Equal((200, """{"queue":"test","purged":2501}"""), (purged.Status, purged.Text));
        var info = (await _server.GetAsync("/j/test")).Json;
        Assert.Equal(
            (0, 0, "roundrobin"),
            (info.GetProperty("ready").GetInt32(), info.GetProperty("delayed").GetInt32(), info.GetProperty("policy").GetString()));
        await _server.PostAsync("/control/test", "status=start");
        await _server.PostAsync("/q/test", "next");
        using var lines = new StreamLines(await stream.Content.ReadAsStreamAsync());
        Assert.Equal("""{"queue":"test","id":"2502","body":"next","contentType":"text/plain"}""", await lines.NextLineAsync());
    }

    [Fact]
    public async Task A_purge_is_a_command_too_and_says_where_there_is_no_queue()
    {
        await _server.PostAsync("/q/test", "x");

        var purged = await _server.PostAsync("/queue", """{"cmd":"purge","queue":"test","ref":1}""");
        var unknown = await _server.PostAsync("/queue", """{"cmd":"purge","queue":"unknown"}""");

        Assert.Equal("""{"ref":1,"ok":true,"queue":"test","purged":1}""", purged.Text);
        Assert.Equal((404, 404), (unknown.Status, (await _server.PostAsync("/q/unknown/purge", "")).Status));
    }

    [Fact]
    public async Task Messages_are_browsed_in_pages_without_being_taken()
    {
        await _server.PostAsync("/q/test/batch", "1\n2\n3", "application/x-ndjson");

        var first = (await _server.GetAsync("/q/test/messages?limit=2")).Json;
        var next = (await _server.GetAsync("/q/test/messages?limit=2&after=" + first.GetProperty("next").GetString())).Json;

        Assert.Equal("2", first.GetProperty("messages")[1].GetProperty("id").GetString());
        Assert.Equal("3", next.GetProperty("messages")[0].GetProperty("id").GetString());
        Assert.Equal(3, (await _server.GetAsync("/j/test")).Json.GetProperty("ready").GetInt32());
    }

    [Fact]
    public async Task Settings_are_changed_in_part_and_read_back()
    {
        var changed = await _server.SendAsync(
            "PATCH", "/q/test/settings", """{"policy":"roundrobin","ttr":"1m","maxMessages":1,"history":{"age":"5m"},"retryDelay":"exponential:1s..5m"}""");

        Assert.Equal(200, changed.Status);
        Assert.Equal(changed.Text, (await _server.GetAsync("/q/test/settings")).Text);
        Assert.Equal("exponential:1s..5m", changed.Json.GetProperty("retryDelay").GetString());
        Assert.Equal(10_000, changed.Json.GetProperty("history").GetProperty("messages").GetInt32());
        await _server.PostAsync("/q/test", "x");
        var full = await _server.PostAsync("/q/test", "y");
        Assert.Equal((429, "queue-full"), (full.Status, full.Problem));
        await _server.SendAsync("PATCH", "/q/test/settings", """{"maxMessages":null}""");
        Assert.Equal(201, (await _server.PostAsync("/q/test", "y")).Status);
    }

    [Theory]
    [InlineData("""{"policy":"fanout"}""", "bad-option")]
    [InlineData("""{"nope":1}""", "bad-option")]
    [InlineData("""{"ttr":[1]}""", "bad-option")]
    [InlineData("""{"maxMessages":-1}""", "bad-option")]
    [InlineData("""{"maxMessages":1e99}""", "bad-option")]
    [InlineData("""{"history":{"age":"-1"}}""", "bad-option")]
    [InlineData("""{"history":100}""", "bad-option")]
    [InlineData("""{"history.age":"5m"}""", "bad-option")]
    [InlineData("""{"history":{"nope":1}}""", "bad-option")]
    [InlineData("""[]""", "bad-json")]
    [InlineData("""{"policy":""", "bad-json")]
    public async Task Wrong_settings_change_nothing(string body, string problem)
    {
        var answer = await _server.SendAsync("PATCH", "/q/test/settings", body);

        Assert.Equal((400, problem), (answer.Status, answer.Problem));
        Assert.Equal((404, "not-found"), ((await _server.GetAsync("/j/test")).Status, (await _server.GetAsync("/j/test")).Problem));
    }

    [Theory]
    [InlineData("policy=roundrobin", "application/x-www-form-urlencoded")]
    [InlineData("""{"policy":"roundrobin"}""", "application/json")]
    public async Task Policy_is_set_by_form_or_json(string body, string contentType)
    {
        Assert.Equal("broadcast", (await _server.GetAsync("/p/test")).Json.GetProperty("policy").GetString());

        Assert.Equal(200, (await _server.PostAsync("/p/test", body, contentType)).Status);

        Assert.Equal("""{"queue":"test","policy":"roundrobin"}""", (await _server.GetAsync("/p/test")).Text);
        Assert.Equal("bad-option", (await _server.PostAsync("/p/test", "policy=none")).Problem);
        Assert.Equal("bad-option", (await _server.PostAsync("/p/test", "nothing")).Problem);
    }

    [Theory]
    [InlineData("", "policy=roundrobin&policy=broadcast")]
    [InlineData("", "policy=roundrobin&other=1")]
    [InlineData("", "policy=roundrobin&other")]
    [InlineData("", """{"policy":"roundrobin","other":1}""")]
    [InlineData("", """{"policy":"roundrobin","policy":"roundrobin"}""")]
    [InlineData("?policy=roundrobin", "policy=broadcast")]
    [InlineData("?policy=roundrobin", "anything")]
    [InlineData("?policy=roundrobin&policy=broadcast", "")]
    public async Task A_policy_is_given_once_and_alone(string query, string body)
    {
        var answer = await _server.PostAsync($"/p/test{query}", body);

        Assert.Equal((400, "bad-option"), (answer.Status, answer.Problem));
        Assert.Equal(404, (await _server.GetAsync("/j/test")).Status);
    }

    [Fact]
    public async Task A_stopped_queue_accepts_puts_and_gives_nothing_out()
    {
        await _server.PostAsync("/control/test", "status=stop");
        Assert.Equal(201, (await _server.PostAsync("/q/test", "x")).Status);

        var take = await _server.GetAsync("/q/test");
        Assert.Equal((409, "queue-stopped"), (take.Status, take.Problem));
        Assert.Equal("queue-stopped", (await _server.GetAsync("/q/test?wait=10")).Problem);
        Assert.Equal("queue-stopped", (await _server.GetAsync("/q/test/batch?ttr=1")).Problem);
        Assert.Equal("stopped", (await _server.GetAsync("/control/test")).Json.GetProperty("status").GetString());
        await _server.PostAsync("/control/test", """{"status":"start"}""");
        Assert.Equal("x", (await _server.GetAsync("/q/test")).Text);
    }

    [Fact]
    public async Task A_wait_is_answered_by_the_next_put_and_ends_with_the_server()
    {
        var waiting = _server.GetAsync("/q/test?wait=60");
        await WaitingAsync(1);
        await _server.PostAsync("/q/test", "x");
        Assert.Equal("x", (await waiting).Text);

        var vain = _server.GetAsync("/q/test?wait=60");
        await WaitingAsync(1);
        await _server.StopAsync().WithTimeout();
        Assert.Equal(204, (await vain).Status);
    }

    [Fact]
    public async Task Deleting_a_queue_takes_everything_with_it()
    {
        await _server.PostAsync("/q/test", "x");

        Assert.Equal(204, (await _server.SendAsync("DELETE", "/q/test")).Status);

        Assert.Equal(204, (await _server.GetAsync("/q/test")).Status);
        Assert.Equal(404, (await _server.GetAsync("/j/test")).Status);
    }

    [Fact]
    public async Task Health_is_told()
    {
        Assert.Equal((200, "ok\n"), ((await _server.GetAsync("/healthz")).Status, (await _server.GetAsync("/readyz")).Text));
    }

    [Fact]
    public async Task Metrics_are_told_in_the_text_format_of_prometheus()
    {
        await _server.PostAsync("/q/test", "x");

        var answer = await _server.GetAsync("/metrics");

        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.ContentType);
        Assert.Contains(
            "# TYPE pushqueue_messages_put_total counter\npushqueue_messages_put_total 1\n",
            answer.Text,
            StringComparison.Ordinal);
    }

    private Task WaitingAsync(int count) => Eventually.TrueAsync(
        async () =>
            (await _server.GetAsync("/stats")).Json.GetProperty("node").GetProperty("waitingTakes").GetInt32() == count, "a take waits");
}
