using Microsoft.Extensions.Logging;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Transports.Rest;

/// <summary>The forms in which the values of options come: JSON numbers, null, times, and what a browser adds.</summary>
public sealed class OptionFormTests : IAsyncLifetime
{
    private PushQueueServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await PushQueueServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("-1")]
    [InlineData("3x")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999")]
    [InlineData("9999999999999999999999999999999999999999999999999999999999999999")]
    public async Task A_length_that_is_none_is_a_bad_request_however_long_it_is(string length)
    {
        var answer = await _server.SendLengthAsync("/q/test", length);

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Log.Entries, static entry => entry.Level >= LogLevel.Warning);
    }

    [Theory]
    [InlineData("9", 200)]
    [InlineData("9.0", 200)]
    [InlineData("9e0", 200)]
    [InlineData("0.9E1", 200)]
    [InlineData("90e-1", 200)]
    [InlineData("\"9\"", 200)]
    [InlineData("null", 200)]
    [InlineData("9.5", 400)]
    [InlineData("1e1", 400)]
    [InlineData("1e999", 400)]
    [InlineData("-0.0", 200)]
    [InlineData("[9]", 400)]
    public async Task A_whole_json_number_is_taken_however_it_is_written(string number, int status)
    {
        Assert.Equal(status, (await _server.PostAsync("/queue", $$"""{"cmd":"put","queue":"q","value":1,"priority":{{number}}}""")).Status);
        Assert.Equal(
            status == 200
                ? 201
                : 400, (await _server.PostAsync("/q/q/batch?envelope=true", $$"""{"body":1,"priority":{{number}}}""")).Status);
        Assert.Equal(
            number == "-0.0" ? 400 : number == "1e1" ? 200 : status,
            (await _server.SendAsync("PATCH", "/q/q/settings", $$"""{"maxAttempts":{{number}}}""", "application/json")).Status);
    }

    [Fact]
    public async Task An_option_that_is_null_is_one_that_is_not_given()
    {
        Assert.Equal(
            200,
            (await _server.PostAsync("/queue", """{"cmd":"put","queue":"q","value":null,"id":null,"delay":null,"values":null}""")).Status);
        var taken = await _server.PostAsync("/queue", """{"cmd":"lease","queue":"q","count":null,"ttr":null,"wait":null,"worker":null}""");

        Assert.Equal("null", taken.Json.GetProperty("message").GetProperty("body").GetRawText());
        Assert.Equal(400, (await _server.PostAsync("/queue", """{"cmd":"ack","queue":"q","id":null,"receipt":null}""")).Status);
        Assert.Equal(200, (await _server.SendAsync("PATCH", "/q/q/settings", """{"ttr":null,"maxBytes":null,"history":null}""")).Status);
    }

    [Theory]
    [InlineData("2026-12-31T23:59:60Z", "second 59")]
    [InlineData("2026-12-31T24:00:00Z", "next day")]
    [InlineData("1798675200000", "1798675200")]
    public async Task A_time_that_is_refused_says_what_to_write(string time, string advice)
    {
        var answer = await _server.PostAsync($"/q/q?at={time}", "x");

        Assert.Equal("bad-option", answer.Problem);
        Assert.Contains(advice, answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"colour":"red"}""")]
    [InlineData("""{"colour":{"a":1}}""")]
    [InlineData("""{"colour":null}""")]
    public async Task A_setting_that_does_not_exist_is_said_not_to_exist(string settings)
    {
        var answer = await _server.SendAsync("PATCH", "/q/q/settings", settings, "application/json");

        Assert.Contains("There is no option 'colour'", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_scripts_add_against_caches_is_left_alone_by_every_get_and_by_no_put()
    {
        Assert.Equal(204, (await _server.GetAsync("/q/q?_=1&_=2")).Status);
        Assert.Equal(200, (await _server.GetAsync("/q/q/batch?_=1798675200000&count=1")).Status);
        Assert.Equal(200, (await _server.GetAsync("/q/q/messages?_=1")).Status);
        Assert.Equal(400, (await _server.PostAsync("/q/q?_=1", "x")).Status);
    }

    [Theory]
    [InlineData("80000000")]
    [InlineData("FFFFFFFF")]
    [InlineData("7FFFFFFF0")]
    [InlineData("FFFFFFFFFFFFFFFF")]
    public async Task A_chunk_that_is_too_long_to_be_true_is_a_bad_request(string size)
    {
        foreach (var path in (
            string[])["/q/q", "/q/q/batch", "/queue", "/p/q", "/presque/q/q", "/redisched/t/q/put", "/restmq/q/q", "/restmq/queue"])
        {
            var answer = await _server.SendChunkAsync(path, size);
            Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        }
    }
}
