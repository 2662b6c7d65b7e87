using System.Text;
using System.Text.Json;
using PushQueue.Tests.Storage.Redis;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

/// <summary>presque's table, row by row. A subclass says over which store and where it is mounted.</summary>
public abstract class PresqueContract : IAsyncLifetime
{
    private readonly TestTimeProvider _time = new();
    private PushQueueServer _server = null!;
    private string _base = "";

    private long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    public async ValueTask InitializeAsync() => (_server, _base) = await StartAsync(_time);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private protected abstract Task<DialectPlace> StartAsync(TimeProvider time);

    [Fact]
    public async Task A_job_is_put_and_taken_byte_for_byte_first_in_first_out()
    {
        await PutAsync("""{ "key" : "välue" }""");
        await PutAsync("[2]");

        var first = await GetAsync("/q/foo");

        Assert.Equal((200, "application/json", """{ "key" : "välue" }"""), (first.Status, first.ContentType, first.Text));
        Assert.Equal("[2]", (await GetAsync("/q/foo")).Text);
        AssertError(404, "no job", await GetAsync("/q/foo"));
    }

    [Fact]
    public async Task A_put_answers_201_and_nothing()
    {
        var answer = await SendAsync("POST", "/q/foo", "{}");

        Assert.Equal((201, "application/json", ""), (answer.Status, answer.ContentType, answer.Text));
        Assert.Equal("0", answer.Headers["Content-Length"]);
    }

    [Fact]
    public async Task A_take_counts_as_processed_for_the_queue_and_the_worker()
    {
        await PutAsync("{}");

        await SendAsync("GET", "/q/foo", worker: "w1");

        Assert.Equal("""{"queue_name":"foo","job_count":0,"job_failed":0,"job_processed":1}""", (await GetAsync("/j/foo")).Text);
        var worker = (await GetAsync("/w/?worker_id=w1")).Json;
        Assert.Equal((1, 0), (worker.GetProperty("processed").GetInt32(), worker.GetProperty("failed").GetInt32()));
    }

    [Fact]
    public async Task A_job_that_is_put_back_counts_as_failed_for_the_queue_and_the_worker_and_comes_again()
    {
        await PutAsync("{}");
        await SendAsync("GET", "/q/foo", worker: "w1");

        var back = await SendAsync("PUT", "/q/foo", "{}", worker: "w1");

        Assert.Equal((201, ""), (back.Status, back.Text));
        Assert.Equal("""{"queue_name":"foo","job_count":1,"job_failed":1,"job_processed":1}""", (await GetAsync("/j/foo")).Text);
        Assert.Equal(1, (await GetAsync("/w/?worker_id=w1")).Json.GetProperty("failed").GetInt32());
        Assert.Equal(1, (await _server.GetAsync("/j/foo")).Json.GetProperty("counters").GetProperty("failed").GetInt32());
        Assert.Equal("{}", (await GetAsync("/q/foo")).Text);
    }

    [Fact]
    public async Task A_delayed_job_comes_when_its_time_has_come_and_control_tells_when()
    {
        await SendAsync("POST", $"/q/foo?delayed={Now + 60}", "[1]");

        AssertError(404, "no job", await GetAsync("/q/foo"));
        Assert.Equal($$"""{"queue":"foo","status":1,"next_run_after":{{Now + 60}}}""", (await GetAsync("/control/foo")).Text);
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("[1]", (await GetAsync("/q/foo")).Text);
        Assert.Equal("""{"queue":"foo","status":1}""", (await GetAsync("/control/foo")).Text);
    }

    [Fact]
    public async Task A_time_that_is_past_means_now()
    {
        Assert.Equal(201, (await SendAsync("POST", "/q/foo?delayed=1", "[1]")).Status);

        Assert.Equal("[1]", (await GetAsync("/q/foo")).Text);
    }

    [Fact]
    public async Task A_unique_job_is_refused_until_the_first_has_been_fetched()
    {
        Assert.Equal(201, (await SendAsync("POST", "/q/foo?uniq=k", "[1]")).Status);

        AssertError(400, "job already exists", await SendAsync("POST", "/q/foo?uniq=k", "[2]"));
        await GetAsync("/q/foo");

        Assert.Equal(201, (await SendAsync("POST", "/q/foo?uniq=k", "[3]")).Status);
    }

    [Fact]
    public async Task Delete_takes_jobs_delayed_and_unique_ones_and_counters()
    {
        await PutAsync("[1]");
        await GetAsync("/q/foo");
        await SendAsync("POST", "/q/foo?uniq=k", "[2]");
        await SendAsync("POST", $"/q/foo?delayed={Now + 60}", "[3]");

        var deleted = await SendAsync("DELETE", "/q/foo");

        Assert.Equal((204, "application/json", ""), (deleted.Status, deleted.ContentType, deleted.Text));
        Assert.Equal("""{"queue_name":"foo","job_count":0,"job_failed":0,"job_processed":0}""", (await GetAsync("/j/foo")).Text);
        Assert.Equal("""{"queue":"foo","status":1}""", (await GetAsync("/control/foo")).Text);
        Assert.Equal(201, (await SendAsync("POST", "/q/foo?uniq=k", "[4]")).Status);
        Assert.Equal(204, (await SendAsync("DELETE", "/q/never-made")).Status);
    }

    [Fact]
    public async Task A_batch_puts_many_and_takes_many_as_an_array_of_their_texts()
    {
        var put = await SendAsync("POST", "/qb/foo", """{"other":[0],"jobs":[{"a": 1},"two",3,null]}""");

        Assert.Equal((201, "application/json", ""), (put.Status, put.ContentType, put.Text));
        Assert.Equal(["""{"a": 1}""", "\"two\"", "3"], Strings((await SendAsync("GET", "/qb/foo?batch_size=3", worker: "w")).Json));
        Assert.Equal(["null"], Strings((await GetAsync("/qb/foo")).Json));
        AssertError(404, "no job", await GetAsync("/qb/foo"));
        Assert.Equal(3, (await GetAsync("/w?worker_id=w")).Json.GetProperty("processed").GetInt32());
    }

    [Fact]
    public async Task A_batch_takes_ten_where_nothing_is_said()
    {
        await SendAsync("POST", "/qb/foo", $$"""{"jobs":[{{string.Join(',', Enumerable.Range(0, 12))}}]}""");

        Assert.Equal(10, (await GetAsync("/qb/foo")).Json.GetArrayLength());
        Assert.Equal(2, (await GetAsync("/qb/foo?batch_size=100000")).Json.GetArrayLength());
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task A_batch_knows_no_other_methods(string method) =>
        AssertError(400, $"{method} is not supported in batch mode", await SendAsync(method, "/qb/foo", "{}"));

    [Theory]
    [InlineData("/status")]
    [InlineData("/status/")]
    [InlineData("/stats/")]
    public async Task All_queues_are_listed(string path)
    {
        Assert.Equal("""{"queues":[],"size":0}""", (await GetAsync(path)).Text);
        await PutAsync("{}", "b");
        await PutAsync("{}", "a");

        Assert.Equal("""{"queues":["a","b"],"size":2}""", (await GetAsync(path)).Text);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("stats")]
    public async Task A_queue_tells_its_size_and_its_jobs(string word)
    {
        await PutAsync("""{ "a":"ü" }""");
        await SendAsync("POST", $"/q/foo?delayed={Now + 60}", "[1]");

        Assert.Equal("""{"queue":"foo","size":1}""", (await GetAsync($"/{word}/foo")).Text);
        Assert.Equal(["""{ "a":"ü" }"""], Strings((await GetAsync($"/{word}/foo?with_desc=1")).Json.GetProperty("jobs")));
        Assert.Equal("""{"queue":"never-made","size":0}""", (await GetAsync($"/{word}/never-made")).Text);
        Assert.Equal("""{"queue":"never-made","size":0,"jobs":[]}""", (await GetAsync($"/{word}/never-made?with_desc=1")).Text);
    }

    [Fact]
    public async Task A_closed_queue_takes_puts_and_gives_nothing_out()
    {
        await PutAsync("[1]");

        var stopped = await SendAsync("POST", "/control/foo", """{"status":"stop"}""");

        Assert.Equal((200, """{"queue":"foo","response":"updated"}"""), (stopped.Status, stopped.Text));

        Assert.Equal("""{"queue":"foo","status":0}""", (await GetAsync("/control/foo")).Text);
        Assert.Equal(201, (await SendAsync("POST", "/q/foo", "[2]")).Status);
        AssertError(404, "queue is closed", await GetAsync("/q/foo"));
        AssertError(404, "queue is closed", await GetAsync("/qb/foo"));
        await SendAsync("POST", "/control/foo", """{"status":"start"}""");
        Assert.Equal("[1]", (await GetAsync("/q/foo")).Text);
    }

    [Theory]
    [InlineData("", "content is missing")]
    [InlineData("""{"status":"pause"}""", "invalid status pause")]
    [InlineData("""{"status":1}""", "invalid status 1")]
    [InlineData("{}", "invalid status ")]
    public async Task Control_refuses_what_it_does_not_know_and_makes_no_queue(string body, string error)
    {
        AssertError(400, error, await SendAsync("POST", "/control/foo", body));

        Assert.Equal("""{"queues":[],"size":0}""", (await GetAsync("/status/")).Text);
    }

    [Fact]
    public async Task A_worker_registers_in_the_header_and_is_listed()
    {
        var registered = await SendAsync("POST", "/w/foo", worker: "w1");
        await SendAsync("POST", "/w/foo?worker_id=w2");
        await SendAsync("POST", "/w/bar", """{"worker_id":"w3"}""");

        Assert.Equal((201, "application/json", ""), (registered.Status, registered.ContentType, registered.Text));
        Assert.Equal("""["w1","w2","w3"]""", (await GetAsync("/w/")).Text);
        Assert.Equal($$"""{"worker_id":"w1","started_at":{{Now}},"processed":0,"failed":0}""", (await GetAsync("/w/?worker_id=w1")).Text);
        Assert.Equal("""{"queue_name":"foo","workers_list":["w1","w2"],"processed":0,"failed":0}""", (await GetAsync("/w/?queue_name=foo")).Text);
        Assert.Equal("""{"queue_name":"none","workers_list":[],"processed":0,"failed":0}""", (await GetAsync("/w/?queue_name=none")).Text);
    }

    [Fact]
    public async Task A_queue_lists_the_workers_that_registered_on_it_and_not_those_that_only_took_from_it()
    {
        await SendAsync("POST", "/w/foo", worker: "registered");
        await SendAsync("GET", "/q/foo", worker: "passing");
        await SendAsync("POST", "/w/bar", worker: "left");
        await SendAsync("GET", "/q/foo", worker: "left");

        Assert.Contains("\"workers_list\":[\"registered\"]", (await GetAsync("/w/?queue_name=foo")).Text, StringComparison.Ordinal);
        await SendAsync("DELETE", "/w/foo", worker: "registered");
        Assert.Contains("\"workers_list\":[]", (await GetAsync("/w/?queue_name=foo")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_registers_again_starts_at_zero()
    {
        await SendAsync("POST", "/w/foo", worker: "w1");
        await PutAsync("{}");
        await SendAsync("GET", "/q/foo", worker: "w1");
        await SendAsync("PUT", "/q/foo", "{}", worker: "w1");
        _time.Advance(TimeSpan.FromSeconds(90));

        await SendAsync("POST", "/w/bar", worker: "w1");

        Assert.Equal($$"""{"worker_id":"w1","started_at":{{Now}},"processed":0,"failed":0}""", (await GetAsync("/w/?worker_id=w1")).Text);
        Assert.Equal("""{"queue_name":"foo","workers_list":["w1"],"processed":1,"failed":1}""", (await GetAsync("/w/?queue_name=foo")).Text);
    }

    [Fact]
    public async Task A_worker_unregisters()
    {
        await SendAsync("POST", "/w/foo", worker: "w1");
        await SendAsync("POST", "/w/foo", worker: "w2");
        await SendAsync("POST", "/w/foo", worker: "w3");

        var gone = await SendAsync("DELETE", "/w/foo", worker: "w1");
        await SendAsync("DELETE", "/w/foo?worker_id=w2");
        await SendAsync("DELETE", "/w/foo", """{"worker_id":"w3"}""");

        Assert.Equal((204, ""), (gone.Status, gone.Text));
        Assert.Equal("[]", (await GetAsync("/w/")).Text);
        AssertError(404, "worker is unknown", await GetAsync("/w/?worker_id=w1"));
    }

    [Theory]
    [InlineData("POST", "")]
    [InlineData("POST", "{}")]
    [InlineData("POST", "[]")]
    [InlineData("DELETE", "")]
    public async Task A_worker_without_a_name_is_refused(string method, string body) =>
        AssertError(400, "worker_id is missing", await SendAsync(method, "/w/foo", body));

    [Fact]
    public async Task The_native_api_shows_the_same_workers()
    {
        await SendAsync("POST", "/w/foo", worker: "w1");
        await PutAsync("{}");
        await SendAsync("GET", "/q/foo", worker: "w1");

        var worker = Assert.Single((await _server.GetAsync("/w")).Json.GetProperty("workers").EnumerateArray());

        Assert.Equal(("w1", 1), (worker.GetProperty("worker").GetString(), worker.GetProperty("processed").GetInt32()));
    }

    [Fact]
    public async Task The_page_lists_queues_and_workers_escaped()
    {
        await PutAsync("{}", "%3Cscript%3E");
        await SendAsync("POST", "/w/foo", worker: "<b>");

        var page = await GetAsync("/");

        Assert.Equal((200, "text/html; charset=utf-8"), (page.Status, page.ContentType));
        Assert.Contains("&lt;script&gt;", page.Text, StringComparison.Ordinal);
        var start = _base.StartsWith('/') ? _base : "";
        Assert.Contains($"href=\"{start}/status/%3Cscript%3E\"", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/q/")]
    [InlineData("POST", "/q")]
    [InlineData("PUT", "/q/")]
    [InlineData("DELETE", "/q/")]
    [InlineData("GET", "/qb/")]
    [InlineData("GET", "/j/")]
    [InlineData("POST", "/control/")]
    [InlineData("POST", "/w/")]
    public async Task A_queue_route_without_a_name_is_not_found(string method, string path) =>
        AssertError(404, "queue name is missing", await SendAsync(method, path, method == "GET" ? null : "{}"));

    [Fact]
    public async Task Every_answer_says_that_it_is_json()
    {
        foreach (var (method, path, body) in new (string, string, string?)[]
        {
            ("GET", "/j/foo", null), ("GET", "/status/", null), ("GET", "/stats/", null), ("GET", "/status/foo", null),
                ("GET", "/stats/foo?with_desc=1", null),
            ("GET", "/control/foo", null), ("POST", "/control/foo", """{"status":"start"}"""), ("POST", "/w/foo?worker_id=w", null), ("GET", "/w/", null),
            ("GET", "/w/?worker_id=w", null), ("GET", "/w/?queue_name=foo", null), ("DELETE", "/w/foo?worker_id=w", null), ("POST", "/qb/foo", """{"jobs":[1]}"""),
            ("GET", "/qb/foo", null), ("GET", "/qb/foo", null), ("DELETE", "/q/foo", null), ("PATCH", "/q/foo", null),
                ("GET", "/nothing", null),
            ("POST", "/q/foo", new string(' ', 2 * 1024 * 1024)),
        })
        {
            var answer = await SendAsync(method, path, body);
            Assert.True(answer.ContentType == "application/json", $"{method} {path} says '{answer.ContentType}'.");
        }
    }

    [Fact]
    public async Task A_page_of_another_origin_is_refused_in_the_same_form()
    {
        await PutAsync("{}");
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_server.Address, _base + "/q/foo"));
        request.Headers.Add("Origin", "https://evil.example");

        var answer = await _server.SendAsync(request);

        Assert.Equal((403, "application/json"), (answer.Status, answer.ContentType));
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
        Assert.Equal(200, (await GetAsync("/q/foo")).Status);
    }

    [Fact]
    public async Task Other_apis_see_the_same_jobs_and_binary_ones_come_as_base64()
    {
        await PutAsync("""{"a": 1}""");
        Assert.Equal("""{"a": 1}""", (await _server.GetAsync("/q/foo")).Text);

        await _server.PostAsync("/q/foo", "plain", "text/plain");
        await _server.PostAsync("/q/foo", "\u0001\u0002", "application/octet-stream");
        await _server.PostAsync("/q/foo", "\u0001\u0002", "application/octet-stream");

        Assert.Equal("plain", (await GetAsync("/q/foo")).Text);
        Assert.Equal("\"AQI=\"", (await GetAsync("/q/foo")).Text);
        Assert.Equal(["AQI="], Strings((await GetAsync("/qb/foo")).Json));
    }

    private static void AssertError(int status, string error, Answer answer)
    {
        Assert.Equal((status, "application/json"), (answer.Status, answer.ContentType));
        Assert.Equal($$"""{"error":{{JsonSerializer.Serialize(error)}}}""", answer.Text);
    }

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(element => element.GetString()!)];

    private async Task PutAsync(string json, string queue = "foo") =>
        Assert.Equal(201, (await SendAsync("POST", "/q/" + queue, json)).Status);

    private Task<Answer> GetAsync(string path) => SendAsync("GET", path);

    private async Task<Answer> SendAsync(string method, string path, string? body = null, string? worker = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), _base + path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        }

        if (worker is not null)
        {
            request.Headers.Add("X-presque-workerid", worker);
        }

        return await _server.SendAsync(request);
    }
}

public sealed class PresqueUnderItsPrefixTests : PresqueContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.UnderItsPrefixAsync("presque", time);
}

public sealed class PresqueAtItsOwnPortTests : PresqueContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.AtItsOwnPortAsync("presque", time);
}

public sealed class PresqueOverRedisTests(SharedRedis redis) : PresqueContract
{
    private protected override Task<DialectPlace> StartAsync(TimeProvider time) => DialectPlace.OverRedisAsync("presque", time, redis);
}
