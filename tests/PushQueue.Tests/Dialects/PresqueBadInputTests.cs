using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Dialects;

/// <summary>Requests that presque refuses, without storing anything.</summary>
public sealed class PresqueBadInputTests : IAsyncLifetime
{
    private const string Json = "application/json";
    private const string Form = "application/x-www-form-urlencoded";

    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await PushQueueServer.StartAsync(options => options.Queues.MessageBytesMax = 1000);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    public async Task The_content_type_must_be_json(string method)
    {
        const string Error = "content-type must be set to application/json";
        await RefusedAsync(method, "/q/foo", "{}", "text/plain", 400, Error);
        await RefusedAsync(method, "/q/foo", "{}", null, 400, Error);
        await RefusedAsync(method, "/q/foo", "value=foobar", Form, 400, Error);
        await RefusedAsync(method, "/q/foo", "{oops", Form, 400, Error);
        await RefusedAsync(method, "/q/foo", "", Json, 400, "job is missing");
        await RefusedAsync(method, "/q/foo", "", Form, 400, "job is missing");
    }

    [Fact]
    public async Task What_curl_says_by_itself_is_believed_where_the_body_is_json()
    {
        Assert.Equal(201, (await _server.SendAsync("POST", "/presque/q/foo", """{"key":"value"}""", Form)).Status);
        Assert.Equal(201, (await _server.SendAsync("POST", "/presque/qb/foo", """{"jobs":[1]}""", Form)).Status);
        Assert.Equal(201, (await _server.SendAsync("POST", "/presque/q/foo", "[2]", "application/json; charset=utf-8")).Status);

        Assert.Equal("""{"key":"value"}""", (await _server.GetAsync("/presque/q/foo")).Text);
    }

    [Theory]
    [InlineData("{\"a\":1,}")]
    [InlineData("{'a':1}")]
    [InlineData("{\"a\":1} {\"b\":2}")]
    [InlineData("{\"a\":NaN}")]
    [InlineData("// {}\n{}")]
    [InlineData("{\"a\":")]
    [InlineData(" ")]
    public async Task What_is_almost_json_is_refused(string body)
    {
        foreach (var path in (string[])["/q/foo", "/qb/foo"])
        {
            var answer = await _server.SendAsync("POST", "/presque" + path, body, Json);

            Assert.Equal((400, Json), (answer.Status, answer.ContentType));
            Assert.StartsWith("the body is not JSON: ", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        }

        await NothingIsStoredAsync();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[1,2]")]
    [InlineData("""{"jobs":{"a":1}}""")]
    [InlineData("""{"jobs":"a"}""")]
    [InlineData("""{"jobs":[1],"jobs":[2]}""")]
    public async Task A_batch_needs_an_array_of_jobs(string body) =>
        await RefusedAsync("POST", "/qb/foo", body, Json, 400, "jobs should be an array of job");

    [Theory]
    [InlineData("-1")]
    [InlineData("tomorrow")]
    [InlineData("99999999999")]
    [InlineData("1e9")]
    [InlineData("1&delayed=2")]
    public async Task A_time_must_be_one(string delayed)
    {
        foreach (var (method, path) in new[] { ("POST", "/q/foo"), ("PUT", "/q/foo"), ("POST", "/qb/foo") })
        {
            var answer = await _server.SendAsync(method, $"/presque{path}?delayed={delayed}", """{"jobs":[1]}""", Json);

            Assert.Equal(400, answer.Status);
            Assert.StartsWith("delayed ", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        }

        await NothingIsStoredAsync();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-3")]
    [InlineData("ten")]
    public async Task A_batch_size_must_be_a_number(string size) =>
        await RefusedAsync("GET", $"/qb/foo?batch_size={size}", null, null, 400, "batch_size must be a whole number from 1 on");

    [Fact]
    public async Task Names_have_their_bounds()
    {
        var text = new string('x', 256);
        await RefusedAsync(
            "POST",
            $"/q/foo?uniq={text}",
            "{}",
            Json,
            400,
            "uniq must have 1 to 255 bytes of UTF-8 without control characters");
        await RefusedAsync(
            "POST",
            $"/w/foo?worker_id={text}",
            null,
            null,
            400,
            "worker_id must have 1 to 255 bytes of UTF-8 without control characters");
        Assert.Equal(400, (await _server.SendAsync("POST", $"/presque/q/{text}", "{}", Json)).Status);
        Assert.Equal(400, (await _server.SendAsync("POST", "/presque/q/a%2Fb", "{}", Json)).Status);
    }

    [Fact]
    public async Task A_job_that_is_too_large_is_refused()
    {
        var answer = await _server.SendAsync("POST", "/presque/q/foo", $"\"{new string('x', 1000)}\"", Json);
        var batch = await _server.SendAsync("POST", "/presque/qb/foo", $$"""{"jobs":[1,"{{new string('x', 1000)}}"]}""", Json);

        Assert.Equal((413, 413), (answer.Status, batch.Status));
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
        await NothingIsStoredAsync();
    }

    [Fact]
    public async Task Other_methods_and_paths_are_refused_in_the_same_form()
    {
        foreach (var (method, path, status) in new[] { ("PATCH", "/q/foo", 405), ("POST", "/j/foo", 405), ("GET", "/nothing/here", 404) })
        {
            var answer = await _server.SendAsync(method, "/presque" + path);

            Assert.Equal((status, Json), (answer.Status, answer.ContentType));
            Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
        }
    }

    private async Task RefusedAsync(string method, string path, string? body, string? contentType, int status, string error)
    {
        var answer = await _server.SendAsync(method, "/presque" + path, body, contentType);

        Assert.Equal((status, Json), (answer.Status, answer.ContentType));
        Assert.Equal(error, answer.Json.GetProperty("error").GetString());
        await NothingIsStoredAsync();
    }

    private async Task NothingIsStoredAsync() =>
        Assert.Equal("""{"queue":"foo","size":0}""", (await _server.GetAsync("/presque/status/foo")).Text);
}
