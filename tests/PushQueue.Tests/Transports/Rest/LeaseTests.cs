using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

public sealed class LeaseTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("ack")]
    [InlineData("release")]
    [InlineData("touch")]
    public async Task A_lease_of_a_message_that_is_done_is_refused_with_the_possible_reasons(string verb)
    {
        await _server.PostAsync("/q/done?id=one", "x");
        var receipt = (await _server.GetAsync("/q/done/batch?ttr=30")).Json[0].GetProperty("receipt").GetString();
        await _server.PostAsync($"/q/done/messages/one/ack?receipt={receipt}");

        var rest = await _server.PostAsync($"/q/done/messages/one/{verb}?receipt={receipt}");
        var command = await _server.PostAsync("/queue", $$"""{"cmd":"{{verb}}","queue":"done","id":"one","receipt":"{{receipt}}"}""");

        Assert.Equal((404, 404), (rest.Status, command.Status));
        Assert.Contains("acked, taken or cancelled before", rest.Json.GetProperty("detail").GetString()!, StringComparison.Ordinal);
        Assert.Equal(rest.Json.GetProperty("detail").GetString(), command.Json.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_lease_is_acked_by_its_receipt_and_by_no_other()
    {
        await _server.PostAsync("/q/test?id=a/b", "work");
        var lease = await _server.GetAsync("/q/test?ttr=30&worker=w");
        var receipt = lease.Headers["PushQueue-Receipt"];
        Assert.Equal("work", lease.Text);
        Assert.Equal(("a/b", "1"), (lease.Headers["PushQueue-Id"], lease.Headers["PushQueue-Attempt"]));
        Assert.True(lease.Headers.ContainsKey("PushQueue-Leased-Until"));

        var stale = await _server.PostAsync("/q/test/messages/a%2Fb/ack?receipt=0123456789abcdef");
        Assert.Equal((409, "lease-lost"), (stale.Status, stale.Problem));
        Assert.Equal("bad-option", (await _server.PostAsync("/q/test/messages/a%2Fb/ack?receipt=nonsense")).Problem);
        Assert.Equal("bad-option", (await _server.PostAsync("/q/test/messages/a%2Fb/ack")).Problem);
        Assert.Equal(204, (await _server.PostAsync($"/q/test/messages/a%2Fb/touch?receipt={receipt}&ttr=1m")).Status);
        Assert.Equal(204, (await _server.PostAsync($"/q/test/messages/a%2Fb/ack?receipt={receipt}")).Status);
        Assert.Equal((404, "not-found"), await ProblemAsync($"/q/test/messages/a%2Fb/ack?receipt={receipt}"));

        var worker = (await _server.GetAsync("/w")).Json.GetProperty("workers")[0];
        Assert.Equal(("w", 1), (worker.GetProperty("worker").GetString(), worker.GetProperty("processed").GetInt32()));
    }

    [Fact]
    public async Task A_released_message_comes_again_until_its_attempts_end_then_it_can_be_replayed()
    {
        await _server.PostAsync("/q/test?id=x&maxAttempts=2", "work");
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            var lease = await _server.GetAsync("/q/test?ttr=30");
            Assert.Equal(attempt.ToString(), lease.Headers["PushQueue-Attempt"]);
            var receipt = lease.Headers["PushQueue-Receipt"];
            Assert.Equal(204, (await _server.PostAsync($"/q/test/messages/x/release?receipt={receipt}&error=broken")).Status);
        }

        Assert.Equal(204, (await _server.GetAsync("/q/test")).Status);
        var dead = (await _server.GetAsync("/q/test.dead/messages/x")).Json;
        Assert.Equal("broken", dead.GetProperty("lastError").GetString());
        Assert.Equal("test", dead.GetProperty("deadLetter").GetProperty("queue").GetString());
        var replay = await _server.PostAsync("/q/test.dead/replay?id=x");
        Assert.Equal("""{"queue":"test","replayed":1}""", replay.Text);
        Assert.Equal("work", (await _server.GetAsync("/q/test")).Text);
        Assert.Equal((404, "not-found"), await ProblemAsync("/q/test/replay"));
    }

    [Fact]
    public async Task What_is_given_back_unstarted_burns_no_attempt_and_waits_for_no_retry_delay()
    {
        await _server.SendAsync("PATCH", "/q/test/settings", """{"maxAttempts":1,"retryDelay":"1h"}""");
        await _server.PostAsync("/q/test?id=x", "work");
        for (var i = 0; i < 3; i++)
        {
            var lease = (await _server.GetAsync("/q/test/batch?count=1&ttr=30")).Json[0];
            Assert.Equal(1, lease.GetProperty("attempt").GetInt32());
            var receipt = lease.GetProperty("receipt").GetString();
            Assert.Equal(204, (await _server.PostAsync($"/q/test/messages/x/release?receipt={receipt}&unstarted=true")).Status);
        }

        var last = (await _server.GetAsync("/q/test/batch?count=1&ttr=30")).Json[0].GetProperty("receipt").GetString();
        var both = await _server.PostAsync($"/q/test/messages/x/release?receipt={last}&unstarted=true&error=broken");
        Assert.Equal((400, "bad-option"), (both.Status, both.Problem));
        var many = await _server.PostAsync("/q/test/release?unstarted=true", $$"""[{"id":"x","receipt":"{{last}}"}]""");
        Assert.True(many.Json.GetProperty("results")[0].GetProperty("ok").GetBoolean());
        Assert.Equal("work", (await _server.GetAsync("/q/test")).Text);
    }

    [Fact]
    public async Task A_message_that_its_worker_rejects_is_dead_lettered_at_once()
    {
        await _server.PostAsync("/q/test?id=x", "work");
        await _server.PostAsync("/q/test?id=y", "work");
        var leases = (await _server.GetAsync("/q/test/batch?count=2&ttr=30")).Json;
        var (x, y) = (leases[0].GetProperty("receipt").GetString(), leases[1].GetProperty("receipt").GetString());

        foreach (var other in (string[])["unstarted=true", "delay=1s", "backoff=1s"])
        {
            var both = await _server.PostAsync($"/q/test/messages/x/release?receipt={x}&deadLetter=true&{other}");
            Assert.Equal((400, "bad-option"), (both.Status, both.Problem));
        }

        Assert.Equal(204, (await _server.PostAsync($"/q/test/messages/x/release?receipt={x}&deadLetter=true&error=bad")).Status);
        var many = await _server.PostAsync("/q/test/release?deadLetter", $$"""[{"id":"y","receipt":"{{y}}"}]""");

        Assert.True(many.Json.GetProperty("results")[0].GetProperty("ok").GetBoolean());
        var dead = (await _server.GetAsync("/q/test.dead/messages/x")).Json;
        Assert.Equal(
            ("bad", "rejected"),
            (dead.GetProperty("lastError").GetString(), dead.GetProperty("deadLetter").GetProperty("reason").GetString()));
        Assert.Equal("rejected", (await _server.GetAsync("/q/test.dead/messages/y")).Json.GetProperty("deadLetter")
            .GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Many_are_leased_and_acked_in_one_request_each()
    {
        await _server.PostAsync("/q/test/batch", "1\n2\n3", "application/x-ndjson");
        var leases = (await _server.GetAsync("/q/test/batch?count=3&ttr=1m")).Json.EnumerateArray().ToArray();
        var items = leases.Select(
            lease => $$"""{"id":"{{lease.GetProperty("id").GetString()}}","receipt":"{{lease.GetProperty("receipt").GetString()}}"}""");
        var body = $$"""[{{string.Join(',', items)}},{"id":"9","receipt":"0123456789abcdef"}]""";

        var answer = await _server.PostAsync("/q/test/ack", body);

        Assert.Equal(200, answer.Status);
        var results = answer.Json.GetProperty("results");
        Assert.True(results[2].GetProperty("ok").GetBoolean());
        Assert.Equal("not-found", results[3].GetProperty("error").GetString());
        Assert.Equal(0, (await _server.GetAsync("/j/test")).Json.GetProperty("leased").GetInt64());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[{\"id\":\"1\"}]")]
    [InlineData("[")]
    public async Task A_wrong_list_of_leases_is_refused(string body)
    {
        Assert.Equal((400, "bad-json"), await ProblemAsync("/q/test/ack", body));
    }

    [Fact]
    public async Task A_message_is_rescheduled_in_any_state()
    {
        await _server.PostAsync("/q/test?id=x", "work");

        Assert.Equal(204, (await _server.PostAsync("/q/test/messages/x/reschedule?delay=1h")).Status);
        Assert.Equal("delayed", (await _server.GetAsync("/q/test/messages/x")).Json.GetProperty("state").GetString());
        Assert.Equal(204, (await _server.PostAsync("/q/test/messages/x/reschedule?at=2000-01-01")).Status);
        Assert.Equal("work", (await _server.GetAsync("/q/test")).Text);
        Assert.Equal((404, "not-found"), await ProblemAsync("/q/test/messages/x/reschedule?delay=1"));
        Assert.Equal((400, "bad-option"), await ProblemAsync("/q/test/messages/x/reschedule"));
    }

    [Fact]
    public async Task Many_are_touched_and_released_in_one_request_each()
    {
        await _server.PostAsync("/q/test/batch", "1\n2", "application/x-ndjson");
        var leases = (await _server.GetAsync("/q/test/batch?count=2&ttr=1m")).Json.EnumerateArray()
            .Select(
                lease => $$"""{"id":"{{lease.GetProperty("id").GetString()}}","receipt":"{{lease.GetProperty("receipt").GetString()}}"}""");
        var body = $"[{string.Join(',', leases)}]";

        var touched = await _server.PostAsync("/q/test/touch?ttr=2m", body);
        var released = await _server.PostAsync("/q/test/release?delay=1h&error=broken&worker=w", body);
        var again = await _server.PostAsync("/q/test/touch", body);

        Assert.Equal((200, 200), (touched.Status, released.Status));
        Assert.All(touched.Json.GetProperty("results").EnumerateArray(), result => Assert.True(result.GetProperty("ok").GetBoolean()));
        Assert.All(
            again.Json.GetProperty("results").EnumerateArray(),
            result => Assert.Equal("lease-lost", result.GetProperty("error").GetString()));
        var found = (await _server.GetAsync("/q/test/messages/1")).Json;
        Assert.Equal(("delayed", "broken"), (found.GetProperty("state").GetString(), found.GetProperty("lastError").GetString()));
        Assert.Equal("bad-option", (await _server.PostAsync("/q/test/ack?delay=1", body)).Problem);
    }

    [Fact]
    public async Task Foreign_stale_and_late_receipts_change_nothing_and_say_what_to_do()
    {
        await _server.PostAsync("/q/test/batch", "1\n2", "application/x-ndjson");
        var first = (await _server.GetAsync("/q/test?ttr=100ms")).Headers["PushQueue-Receipt"];
        var second = (await _server.GetAsync("/q/test?ttr=1m")).Headers["PushQueue-Receipt"];

        Assert.Equal((409, "lease-lost"), await ProblemAsync($"/q/test/messages/1/ack?receipt={second}"));
        await Eventually.TrueAsync(
            async () => (await _server.GetAsync("/j/test")).Json.GetProperty("ready").GetInt32() == 1,
            "the lease has ended");
        var late = await _server.PostAsync($"/q/test/messages/1/touch?receipt={first}&ttr=1m");
        Assert.Equal((409, "lease-lost"), (late.Status, late.Problem));
        Assert.Contains("Drop the work", late.Detail, StringComparison.Ordinal);
        Assert.Equal((409, "lease-lost"), await ProblemAsync($"/q/test/messages/1/release?receipt={first}"));
        Assert.Equal((404, "not-found"), await ProblemAsync($"/q/test/messages/99/ack?receipt={first}"));
        Assert.Equal((400, "bad-option"), await ProblemAsync("/q/test/messages/1/ack?receipt=0000000000000000"));
        Assert.Equal(1, (await _server.GetAsync("/j/test")).Json.GetProperty("leased").GetInt32());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("99ms")]
    [InlineData("25h")]
    [InlineData("365d")]
    public async Task A_time_to_run_out_of_bounds_is_refused_with_the_bounds(string ttr)
    {
        foreach (var path in new[] { $"/q/test/messages/1/touch?receipt=0123456789abcdef&ttr={ttr}", $"/q/test/touch?ttr={ttr}" })
        {
            var answer = await _server.PostAsync(path, "[]");
            Assert.Equal("bad-option", answer.Problem);
            Assert.Contains("100ms to 24h", answer.Detail, StringComparison.Ordinal);
        }

        Assert.Contains("100ms to 24h", (await _server.GetAsync($"/q/test?ttr={ttr}")).Detail, StringComparison.Ordinal);
        Assert.Contains("100ms to 24h", (await _server.GetAsync($"/sse/test?ack=manual&ttr={ttr}")).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_are_replayed_by_reason_by_time_and_at_a_rate()
    {
        for (var i = 0; i < 4; i++)
        {
            await _server.PostAsync($"/q/test?id={i}&maxAttempts=1", "work");
            var receipt = (await _server.GetAsync("/q/test?ttr=30")).Headers["PushQueue-Receipt"];
            await _server.PostAsync($"/q/test/messages/{i}/release?receipt={receipt}&error={(i == 0 ? "odd" : "usual")}");
        }

        Assert.Equal("""{"queue":"test","replayed":0}""", (await _server.PostAsync("/q/test.dead/replay?before=2000-01-01")).Text);
        Assert.Equal("""{"queue":"test","replayed":1}""", (await _server.PostAsync("/q/test.dead/replay?reason=odd")).Text);
        Assert.Equal("0", (await _server.GetAsync("/q/test")).Headers["PushQueue-Id"]);
        Assert.Equal(
            """{"queue":"test","replayed":2}""",
            (await _server.PostAsync("/q/test.dead/replay?reason=max-attempts&count=2&rate=100")).Text);
        Assert.Equal("""{"queue":"test","replayed":1}""", (await _server.PostAsync("/q/test.dead/replay?rate=100")).Text);
        Assert.Equal("bad-option", (await _server.PostAsync("/q/test.dead/replay?id=1&rate=5")).Problem);
        Assert.Equal("bad-option", (await _server.PostAsync("/q/test.dead/replay?rate=0")).Problem);
    }

    [Theory]
    [InlineData("/q/test")]
    [InlineData("/q/test?ttr=30")]
    public async Task A_body_that_is_a_page_runs_no_scripts_of_this_origin(string path)
    {
        await _server.PostAsync("/q/test", "<script>alert(1)</script>", "text/html");

        var answer = await _server.GetAsync(path);

        Assert.Equal("text/html", answer.ContentType);
        Assert.Equal("sandbox; default-src 'none'", answer.Headers["Content-Security-Policy"]);
        Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
    }

    private async Task<(int Status, string Problem)> ProblemAsync(string path, string body = "")
    {
        var answer = await _server.PostAsync(path, body);
        return (answer.Status, answer.Problem);
    }
}
